import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { StatusError } from '@jetbridge/proto/status-error';

// Windows has neither owners nor modes nor O_NOFOLLOW: there the profile's directory permissions are what protects a key.
const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_RDONLY, O_WRONLY } = constants;
const OTHERS = 0o077;

/** Makes a directory that only its owner can enter, or checks that an existing one is so. */
export async function requirePrivateDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const found = await lstat(directory);
  if (!found.isDirectory() || !isPrivate(found)) {
    throw notPrivate(directory, 'a directory', '0700');
  }
}

/** The bytes of a file that only its owner can read, undefined when there is none. Never follows a link. */
export async function readPrivateFile(path: string, maxBytes: number): Promise<Buffer | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, O_RDONLY | O_NOFOLLOW);
  } catch (cause) {
    switch ((cause as NodeJS.ErrnoException).code) {
      case 'ENOENT':
        return undefined;
      case 'ELOOP':
        throw notPrivate(path, 'a file, not a link,', '0600', cause);
      default:
        throw new StatusError('failed_precondition', `${path} cannot be opened; check its owner and mode`, { cause });
    }
  }
  try {
    return await readOpenFile(file, path, maxBytes);
  } finally {
    await file.close();
  }
}

async function readOpenFile(file: FileHandle, path: string, maxBytes: number): Promise<Buffer> {
  const found = await file.stat();
  if (!found.isFile() || !isPrivate(found)) {
    throw notPrivate(path, 'a file', '0600');
  }
  if (found.size > maxBytes) {
    throw new StatusError('data_loss', `${path} is larger than ${maxBytes} bytes: this is not the file Jetbridge wrote`);
  }
  return await file.readFile();
}

/** Writes a file that does not exist yet, whole or not at all; an existing one is never overwritten (`already_exists`). */
export async function createPrivateFile(path: string, bytes: Uint8Array): Promise<void> {
  await writeBeside(path, bytes, async (temporary) => {
    try {
      // Unlike rename, link fails when the name is taken.
      await link(temporary, path);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
        throw new StatusError('already_exists', `${path} exists already and is never overwritten`, { cause });
      }
      throw cause;
    }
    await unlink(temporary);
  });
}

/** Writes a file, replacing the old one in a single step: a reader, or a crash, sees the old or the new bytes. */
export async function replacePrivateFile(path: string, bytes: Uint8Array): Promise<void> {
  await writeBeside(path, bytes, (temporary) => rename(temporary, path));
}

async function writeBeside(path: string, bytes: Uint8Array, publish: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString('hex')}`);
  try {
    await writeDurably(temporary, bytes);
    await publish(temporary);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the new name itself survive a crash. Windows cannot open directories and needs no such step. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') {
    return;
  }
  const handle = await open(directory, O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isPrivate(found: { readonly uid: number; readonly mode: number }): boolean {
  return process.getuid === undefined || (found.uid === process.getuid() && (found.mode & OTHERS) === 0);
}

function notPrivate(path: string, what: string, mode: string, cause?: unknown): StatusError {
  return new StatusError(
    'failed_precondition',
    `${path} must be ${what} owned by this user with mode ${mode}, since it holds or guards a private key`,
    {
      cause,
    },
  );
}
