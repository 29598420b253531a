import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../config.ts';
import { CHILD_READY_TIMEOUT_MS, LOG_TAIL_LINES, READY_FILE_RECHECK_MS } from '../limits.ts';
import { CommandError } from '../usage.ts';
import type { HealthCheck } from './liveness.ts';
import { tailLog } from './log-file.ts';
import { isSource, sourceArguments } from './module-arguments.ts';

/**
 * A relay's garbage is 16 KB of bytes for each few hundred bytes of objects, and V8 starts to mark its whole heap after 64 MB of the former.
 * With a young generation this small, what has passed is collected before. It saved a third of the CPU of a bulk transfer.
 */
export const GATEWAY_NODE_FLAGS: readonly string[] = ['--max-semi-space-size=2'];

/** How to run one process of the mesh. */
export interface ChildPlan {
  readonly name: string;
  /** The module to run; `.ts` runs from source. */
  readonly main: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Arguments of Node itself. */
  readonly nodeFlags?: readonly string[];
  readonly logFile: string;
  readonly readyFile: string;
  /** Where a process that is ready can be asked whether it lives; without it, only its end is noticed. */
  readonly health?: (report: ReadyReport) => HealthCheck;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export type ReadyReport = Readonly<Record<string, unknown>> & { readonly pid: number };

/** A running process. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<Exit>;
  /** What the process wrote when it could answer; rejects when it ends or takes too long instead. */
  ready(signal: AbortSignal, timeoutMs?: number): Promise<ReadyReport>;
  /** SIGTERM, then SIGKILL when it has not ended in time. */
  stop(drainMs: number): Promise<Exit>;
  kill(): void;
}

/** Starts the process in a process group of its own: the terminal's Ctrl-C must reach the supervisor only, which stops children in order. */
export async function startChild(plan: ChildPlan): Promise<Child> {
  await rm(plan.readyFile, { force: true });
  await using log = await open(plan.logFile, 'a', 0o600);
  const child = spawn(process.execPath, nodeArguments(plan), {
    detached: true,
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
    env: childEnvironment({ ...compileCache(plan.main), ...plan.settings, JETBRIDGE_READY_FILE: plan.readyFile }),
  });
  // The channel exists for its end only.
  child.channel?.unref();
  const exited = exitOf(child);
  exited.catch(() => undefined);
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  return {
    name: plan.name,
    pid,
    logFile: plan.logFile,
    exited,
    ready: (signal, timeoutMs = CHILD_READY_TIMEOUT_MS) =>
      waitReady(plan, pid, exited, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]), signal),
    stop: (drainMs) => stop(child, exited, drainMs),
    kill: () => {
      child.kill('SIGKILL');
    },
  };
}

function nodeArguments({ main, nodeFlags = [] }: ChildPlan): readonly string[] {
  const path = main.startsWith('file:') ? fileURLToPath(main) : main;
  const watcher = new URL(`./orphan-watch${isSource(import.meta.url) ? '.ts' : '.js'}`, import.meta.url).href;
  return [...nodeFlags, ...sourceArguments(path), `--import=${watcher}`, path];
}

/**
 * Node keeps what it has compiled, and what it has made of TypeScript: a process that finds all of it starts in half the time and never
 * loads the compiler, which would stay in memory for good (24 MB). One entry for each file, beside the code and as trusted as that.
 */
function compileCache(main: string): Readonly<Record<string, string>> {
  return isSource(main) ? { NODE_COMPILE_CACHE: fileURLToPath(new URL('../../../node_modules/.cache/jetbridge', import.meta.url)) } : {};
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return { code, signal };
}

async function stop(child: ChildProcess, exited: Promise<Exit>, drainMs: number): Promise<Exit> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), drainMs);
  try {
    return await exited;
  } finally {
    clearTimeout(timer);
  }
}

async function waitReady(
  plan: ChildPlan,
  pid: number,
  exited: Promise<Exit>,
  signal: AbortSignal,
  stopped: AbortSignal,
): Promise<ReadyReport> {
  const settled = new AbortController();
  const watching = AbortSignal.any([signal, settled.signal]);
  try {
    const outcome = await Promise.race([readyFileWritten(plan.readyFile, pid, watching), exited]);
    if (outcome !== undefined && 'pid' in outcome) {
      return outcome;
    }
    stopped.throwIfAborted();
    const reason = outcome === undefined ? 'did not become ready in time' : describeExit(outcome);
    throw new CommandError(`${plan.name} ${reason}${await logExcerpt(plan.logFile)}`);
  } finally {
    settled.abort();
  }
}

/** Resolves with undefined when the wait was given up. */
function readyFileWritten(file: string, pid: number, signal: AbortSignal): Promise<ReadyReport | undefined> {
  return new Promise((resolve) => {
    const check = (): void => {
      void readReport(file).then((report) => {
        if (report?.pid === pid) {
          finish(report);
        }
      });
    };
    const watcher = watch(dirname(file), (_event, name) => {
      if (name === null || name === basename(file)) {
        check();
      }
    });
    watcher.on('error', () => undefined);
    const timer = setInterval(check, READY_FILE_RECHECK_MS);
    const finish = (report: ReadyReport | undefined): void => {
      watcher.close();
      clearInterval(timer);
      signal.removeEventListener('abort', giveUp);
      resolve(report);
    };
    const giveUp = (): void => finish(undefined);
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) {
      giveUp();
    } else {
      check();
    }
  });
}

async function readReport(file: string): Promise<ReadyReport | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ReadyReport;
  } catch {
    return undefined;
  }
}

export function describeExit({ code, signal }: Exit): string {
  return signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
}

/** The end of a child's log as an indented block, with the path of the whole. */
export async function logExcerpt(logFile: string): Promise<string> {
  const lines = await tailLog(logFile, LOG_TAIL_LINES);
  return lines.length === 0
    ? `; its log ${logFile} is empty`
    : `; the end of ${logFile}:\n${lines.map((line) => `    ${line}`).join('\n')}`;
}
