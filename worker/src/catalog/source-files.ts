import type { Dirent } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { SOURCE_DEPTH_MAX, SOURCE_FILES_MAX } from '../limits.ts';
import type { Logger } from '../telemetry.ts';

export type SourceFormat = 'parquet' | 'csv' | 'json' | 'duckdb';

/** One file that can be served. */
export interface SourceFile {
  readonly path: string;
  /** Folders below the source directory. */
  readonly folders: readonly string[];
  /** The file's name without its extensions. */
  readonly stem: string;
  readonly format: SourceFormat;
}

const EXTENSIONS: readonly (readonly [RegExp, SourceFormat])[] = [
  [/\.parquet$/i, 'parquet'],
  [/\.(?:csv|tsv)(?:\.gz)?$/i, 'csv'],
  [/\.(?:json|ndjson|jsonl)(?:\.gz)?$/i, 'json'],
  [/\.(?:duckdb|db)$/i, 'duckdb'],
];

export interface ScanOptions {
  readonly directory: string;
  /** Left out, if it lies inside: the worker's own files are no data. */
  readonly except: string;
  readonly log: Logger;
}

/** The servable files below a directory, in an order that does not depend on the file system. What cannot be read is reported and left out. */
export async function scanSource(options: ScanOptions): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = [];
  await scanFolder(options, [], files);
  return files;
}

async function scanFolder(options: ScanOptions, folders: readonly string[], files: SourceFile[]): Promise<void> {
  const { directory, log } = options;
  const folder = join(directory, ...folders);
  const entries = await entriesOf(folder, log);
  for (const entry of entries) {
    if (files.length >= SOURCE_FILES_MAX) {
      log.warn({ directory, filesMax: SOURCE_FILES_MAX }, 'too many source files, the rest is left out');
      return;
    }
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      await enterFolder(options, [...folders, entry.name], files);
    } else if (await isRegularFile(entry, path)) {
      const file = await sourceFileOf(path, entry.name, folders, log);
      if (file !== undefined) {
        files.push(file);
      }
    }
  }
}

async function enterFolder(options: ScanOptions, folders: readonly string[], files: SourceFile[]): Promise<void> {
  const path = join(options.directory, ...folders);
  if (!isInside(path, options.except) && folders.length <= SOURCE_DEPTH_MAX) {
    await scanFolder(options, folders, files);
  }
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`));
}

async function entriesOf(folder: string, log: Logger): Promise<readonly Dirent[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (err) {
    log.warn({ err, folder }, 'source folder cannot be read');
    return [];
  }
}

// Links to files are followed, links to folders are not: they may lead round in circles.
async function isRegularFile(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) {
    return entry.isFile();
  }
  return stat(path).then(
    (target) => target.isFile(),
    () => false,
  );
}

async function sourceFileOf(path: string, name: string, folders: readonly string[], log: Logger): Promise<SourceFile | undefined> {
  const [extension, format] = EXTENSIONS.find(([pattern]) => pattern.test(name)) ?? [];
  if (extension === undefined || format === undefined) {
    return undefined;
  }
  if (format === 'duckdb' && !(await hasDuckDbMagic(path))) {
    log.warn({ path }, 'source file is no DuckDB database');
    return undefined;
  }
  return { path, folders, stem: name.replace(extension, ''), format };
}

// A DuckDB file has eight bytes of checksum, then "DUCK".
async function hasDuckDbMagic(path: string): Promise<boolean> {
  try {
    await using file = await open(path);
    const { buffer } = await file.read(Buffer.alloc(12), 0, 12, 0);
    return buffer.toString('latin1', 8, 12) === 'DUCK';
  } catch {
    return false;
  }
}
