import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StatusError } from '@jetbridge/proto/status-error';

/** The right to use a data directory, held until `release` or the end of the process, whichever comes first. */
export interface OwnerLock {
  release(): void;
}

interface Owner {
  readonly pid: number;
  readonly startedAt: string;
}

// The lock ends when its handle is garbage: a caller that drops the answer must still have it.
const held = new Set<DatabaseSync>();

/**
 * Takes the data directory for this process or throws `failed_precondition` naming who has it.
 *
 * The lock is the kernel's own: SQLite's exclusive lock on `owner.lock`. It ends with its holder, however that dies, and
 * cannot be taken from a live one; a file with a process number can be both stale and stolen. `owner.json` only tells a
 * second process who came first. It is a file of its own because closing any descriptor of a file drops a process's
 * POSIX locks on it.
 */
export function takeOwnerLock(directory: string, owner: Owner): OwnerLock {
  const ownerFile = join(directory, 'owner.json');
  const lock = lockFile(join(directory, 'owner.lock'));
  if (lock === undefined) {
    throw new StatusError(
      'failed_precondition',
      `the data directory ${directory} is in use by ${describe(ownerFile)}; stop it or choose another`,
    );
  }
  writeFileSync(ownerFile, JSON.stringify({ pid: owner.pid, startedAt: owner.startedAt }), { mode: 0o600 });
  held.add(lock);
  return { release: () => release(lock) };
}

function release(lock: DatabaseSync): void {
  if (held.delete(lock)) {
    lock.close();
  }
}

function lockFile(path: string): DatabaseSync | undefined {
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    // No journal on disk: nothing is ever written, and a leftover one would have to be rolled back.
    lock.exec('pragma journal_mode = memory; begin exclusive');
    return lock;
  } catch (error) {
    lock.close();
    if (isBusy(error)) {
      return undefined;
    }
    throw error;
  }
}

// SQLITE_BUSY
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5;
}

function describe(ownerFile: string): string {
  try {
    const owner = JSON.parse(readFileSync(ownerFile, 'utf8')) as Owner;
    return `process ${owner.pid} (since ${owner.startedAt})`;
  } catch {
    return 'another process';
  }
}
