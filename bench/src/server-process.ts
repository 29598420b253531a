import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { profilingEnvironment } from './profile/config.ts';

export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A server of another kind than ours, in the foreground. */
export interface RunningServer {
  readonly pid: number;
  /** The first line that it writes to standard output; rejects when it ends before. */
  firstLine(): Promise<string>;
  /** Resolves when the port takes connections; rejects when the process ends before. */
  listens(port: number, signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

const COMPLAINT_CHARACTERS = 4_000;
const RETRY_MS = 50;
const STOP_TIMEOUT_MS = 5_000;

export function startServer({ program, args, environment }: ServerCommand): RunningServer {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...inheritedEnvironment(), ...environment } });
  const complaint = collectComplaint(child);
  const closed = once(child, 'close');
  const ended = closed.then(
    (): never => {
      throw new Error(`${program} ended: ${complaint().trim()}`);
    },
    (cause: unknown): never => {
      throw new Error(`${program} cannot be started`, { cause });
    },
  );
  ended.catch(() => undefined);
  const line = once(createInterface({ input: child.stdout as Readable }), 'line') as Promise<[string]>;
  line.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    firstLine: async () => (await Promise.race([line, ended]))[0],
    listens: (port, signal) => Promise.race([portOpens(port, signal), ended]),
    stop: () => stop(child, closed),
  };
}

// The only setting that a peer's server takes from us is what it is given.
function inheritedEnvironment(): Readonly<Record<string, string>> {
  const { PATH = '', HOME = '', TMPDIR = '' } = process.env;
  return { PATH, HOME, TZ: 'UTC', ...(TMPDIR === '' ? {} : { TMPDIR }), ...profilingEnvironment() };
}

function collectComplaint(child: ChildProcess): () => string {
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT_CHARACTERS);
  });
  return () => complaint;
}

async function portOpens(port: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const socket = connect(port, '127.0.0.1');
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (open) {
      return;
    }
    await delay(RETRY_MS, undefined, { signal });
  }
}

async function stop(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await closed.catch(() => undefined);
  clearTimeout(timer);
}
