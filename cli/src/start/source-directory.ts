import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { SOURCE_SCAN_DEPTH, SOURCE_SCAN_ENTRIES } from '../limits.ts';
import { CommandError } from '../usage.ts';

/** A folder served as a catalog. */
export interface Source {
  readonly directory: string;
  readonly catalog: string;
}

// What the worker serves; hidden files are none.
const SERVED = /^[^.].*\.(parquet|(csv|tsv|json|jsonl|ndjson)(\.gz)?|duckdb|db)$/i;
const FALLBACK_CATALOG = 'files';
// Names a catalog of DuckDB or of SQL already has.
const TAKEN = new Set(['system', 'temp', 'main', 'memory', 'information_schema', 'pg_catalog']);

/** Checks what `--data` names before anything is started for it. */
export async function openSource(path: string): Promise<Source> {
  const directory = resolve(path);
  const found = await stat(directory).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(
      error.code === 'ENOENT' ? `--data ${path}: there is no such directory` : `--data ${path} cannot be read (${error.code})`,
    );
  });
  if (!found.isDirectory()) {
    throw new CommandError(`--data ${path} is a file; give the directory it is in`);
  }
  await access(directory, constants.R_OK | constants.X_OK).catch(() => {
    throw new CommandError(`--data ${path} cannot be read by this account; check its permissions`);
  });
  if (!(await hasServedFile(directory))) {
    throw new CommandError(
      `--data ${path} holds no readable Parquet, CSV, JSON or DuckDB file (.parquet .csv .tsv .json .jsonl .ndjson .duckdb .db)`,
    );
  }
  return { directory, catalog: catalogName(directory) };
}

/** The folder's name as a SQL identifier that needs no quotes. */
export function catalogName(directory: string): string {
  const name = basename(directory)
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, 63);
  return /^[a-z]/.test(name) && !TAKEN.has(name) ? name : FALLBACK_CATALOG;
}

/** Breadth first, so that a file near the top is found soon. */
async function hasServedFile(top: string): Promise<boolean> {
  let level = [top];
  let left = SOURCE_SCAN_ENTRIES;
  for (let depth = 0; depth <= SOURCE_SCAN_DEPTH && level.length > 0 && left > 0; depth += 1) {
    const deeper: string[] = [];
    for (const directory of level) {
      const { isServed, folders, seen } = await look(directory);
      if (isServed) {
        return true;
      }
      deeper.push(...folders);
      left -= seen;
    }
    level = deeper;
  }
  return false;
}

async function look(
  directory: string,
): Promise<{ readonly isServed: boolean; readonly folders: readonly string[]; readonly seen: number }> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => join(directory, name));
  for (const { name } of entries.filter((entry) => SERVED.test(entry.name))) {
    if (await isReadableFile(join(directory, name))) {
      return { isServed: true, folders, seen: entries.length };
    }
  }
  return { isServed: false, folders, seen: entries.length };
}

async function isReadableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.R_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
