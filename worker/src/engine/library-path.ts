import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { StatusError } from '@jetbridge/proto/status-error';

const LIBRARY_FILES: Readonly<Partial<Record<NodeJS.Platform, string>>> = { darwin: 'libduckdb.dylib', win32: 'duckdb.dll' };

/** The library that the platform's `@duckdb/node-bindings-*` package ships. */
export function libraryPath(): string {
  // The platform package is a dependency of a dependency: resolve along that chain, so that no hoisting is assumed.
  const api = createRequire(createRequire(import.meta.url).resolve('@duckdb/node-api'));
  const bindings = createRequire(api.resolve('@duckdb/node-bindings'));
  const platform = `${process.platform}-${process.arch}`;
  const file = LIBRARY_FILES[process.platform] ?? 'libduckdb.so';
  // npm installs only the one whose libc fits.
  for (const name of [platform, `${platform}-musl`]) {
    const directory = packageDirectory(bindings, `@duckdb/node-bindings-${name}`);
    if (directory !== undefined) {
      return join(directory, file);
    }
  }
  throw new StatusError(
    'failed_precondition',
    `DuckDB's package @duckdb/node-bindings-${platform} is not installed; install with optional dependencies`,
  );
}

function packageDirectory(from: NodeJS.Require, name: string): string | undefined {
  try {
    return dirname(from.resolve(`${name}/duckdb.node`));
  } catch {
    return undefined;
  }
}
