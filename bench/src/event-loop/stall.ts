import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** How long an event loop did not turn, beyond its tick: what everybody else in the process waited for. */
export interface Stall {
  readonly maxMs: number;
  readonly p99Ms: number;
}

interface Report extends Partial<Stall> {
  readonly watching: boolean;
}

const RECHECK_MS = 10;
const ANSWER_TIMEOUT_MS = 10_000;

/** Watches the processes, which must have loaded preload.ts, while the work is done. */
export async function stallsDuring(directory: string, pids: readonly number[], work: () => Promise<unknown>): Promise<readonly Stall[]> {
  await Promise.all(pids.map((pid) => toggled(directory, pid, true)));
  try {
    await work();
  } finally {
    await Promise.all(pids.map((pid) => toggled(directory, pid, false)));
  }
  return Promise.all(pids.map((pid) => readStall(directory, pid)));
}

async function toggled(directory: string, pid: number, watching: boolean): Promise<void> {
  const file = fileOf(directory, pid);
  await rm(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  const giveUpAtMs = performance.now() + ANSWER_TIMEOUT_MS;
  while (performance.now() < giveUpAtMs) {
    if ((await readReport(file))?.watching === watching) {
      return;
    }
    await delay(RECHECK_MS);
  }
  throw new Error('a process does not say how its event loop does');
}

async function readStall(directory: string, pid: number): Promise<Stall> {
  const { maxMs = Number.NaN, p99Ms = Number.NaN } = (await readReport(fileOf(directory, pid))) ?? {};
  return { maxMs, p99Ms };
}

function readReport(file: string): Promise<Report | undefined> {
  return readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as Report,
    () => undefined,
  );
}

function fileOf(directory: string, pid: number): string {
  return join(directory, `stall-${pid}.json`);
}
