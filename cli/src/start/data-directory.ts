import { constants } from 'node:fs';
import { access, chmod, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandError } from '../usage.ts';
import type { Layout } from './layout.ts';

/** The account's own, empty or already a data directory: never somebody's folder with other things in it. */
export async function requireOwnDirectory(layout: Layout): Promise<void> {
  const found = await stat(layout.dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') {
      return undefined;
    }
    throw new CommandError(`the data directory ${layout.dataDir} cannot be used (${error.code}); choose another with --data-dir`);
  });
  if (found === undefined) {
    return;
  }
  if (!found.isDirectory()) {
    throw new CommandError(`the data directory ${layout.dataDir} is a file; choose another with --data-dir`);
  }
  await access(layout.dataDir, constants.R_OK | constants.W_OK | constants.X_OK).catch(() => {
    throw new CommandError(
      `the data directory ${layout.dataDir} cannot be read and written by this account; choose another with --data-dir`,
    );
  });
  const entries = await readdir(layout.dataDir);
  if (entries.length > 0 && !entries.includes('run')) {
    throw new CommandError(
      `${layout.dataDir} holds other files and is no data directory of Jetbridge; choose an empty or new one with --data-dir`,
    );
  }
}

/** An empty directory that somebody made for us may be open to others: it will hold secrets. */
export async function makeDataDir({ dataDir }: Layout): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await chmod(dataDir, 0o700);
  } catch (error) {
    throw new CommandError(
      `the data directory ${dataDir} cannot be created (${(error as NodeJS.ErrnoException).code}); choose another with --data-dir`,
    );
  }
}

export async function requireWritableFolder(file: string): Promise<void> {
  await access(dirname(file), constants.W_OK | constants.X_OK).catch(() => {
    throw new CommandError(`--ready-file ${file}: its directory does not exist or cannot be written`);
  });
  await rm(file, { force: true });
}
