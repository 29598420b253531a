import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CommandError } from '../usage.ts';

/** Who holds a data directory. `birth` tells a process from a later one with the same pid. */
export interface Owner {
  readonly pid: number;
  readonly birth: string;
}

export interface OwnerLock {
  release(): Promise<void>;
}

/** Tells when the process with this pid was born; undefined when there is none. */
export type BirthOf = (pid: number) => Promise<string | undefined>;

/**
 * Takes the directory for this process. A live owner is never robbed; the lock of a dead one is taken over, and of several that
 * try at once exactly one wins: `link` creates the lock whole or not at all, `rename` moves a stale one away only once.
 */
export async function takeOwnerLock(file: string, pid = process.pid, birthOf: BirthOf = processBirth): Promise<OwnerLock> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const text = JSON.stringify({ pid, birth: (await birthOf(pid)) ?? '' } satisfies Owner);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    if (await createLock(file, text)) {
      return { release: () => releaseLock(file, text) };
    }
    const held = await readOwner(file);
    if (held !== undefined && (await isAlive(held.owner, birthOf))) {
      throw new CommandError(
        `the data directory ${dirname(dirname(file))} is in use by another \`jetbridge start\` (pid ${held.owner?.pid}); stop it, or choose another with --data-dir`,
      );
    }
    await removeStale(file, held?.text);
  }
  throw new CommandError(`cannot take the lock ${file}: other processes keep taking it`);
}

/** The live owner of a data directory, if it has one. */
export async function findOwner(file: string, birthOf: BirthOf = processBirth): Promise<Owner | undefined> {
  const held = await readOwner(file);
  return held !== undefined && (await isAlive(held.owner, birthOf)) ? held.owner : undefined;
}

async function createLock(file: string, text: string): Promise<boolean> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, text, { mode: 0o600 });
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') {
      return false;
    }
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function releaseLock(file: string, text: string): Promise<void> {
  if ((await readOwner(file))?.text === text) {
    await rm(file, { force: true });
  }
}

/** Moves the stale lock away; when a fresh one was caught instead, because another process was faster, that one goes back. */
async function removeStale(file: string, staleText: string | undefined): Promise<void> {
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return;
    }
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== staleText) {
    await link(aside, file).catch(() => undefined);
  }
  await rm(aside, { force: true });
}

async function readOwner(file: string): Promise<{ readonly owner: Owner | undefined; readonly text: string } | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') {
      return undefined;
    }
    throw error;
  });
  return text === undefined ? undefined : { owner: parseOwner(text), text };
}

function parseOwner(text: string): Owner | undefined {
  try {
    const { pid, birth } = JSON.parse(text) as Partial<Owner>;
    return typeof pid === 'number' && pid > 0 && typeof birth === 'string' ? { pid, birth } : undefined;
  } catch {
    return undefined;
  }
}

async function isAlive(owner: Owner | undefined, birthOf: BirthOf): Promise<boolean> {
  if (owner === undefined) {
    return false;
  }
  const birth = await birthOf(owner.pid);
  return birth !== undefined && birth === owner.birth;
}

/** On Linux the boot and the tick in which the process started; elsewhere only whether it exists. */
export async function processBirth(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') {
    return exists(pid) ? '' : undefined;
  }
  try {
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold anything; field 3 is the state, 22 the start time (proc_pid_stat(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : `${boot}:${fields[19]}`;
  } catch {
    return undefined;
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
