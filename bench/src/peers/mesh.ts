import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { mainModule, NODE_ARGUMENTS, ownModule } from '../own-module.ts';
import type { Bench, Peer, RunningPeer } from '../peer.ts';

/** What `jetbridge start --ready-file` writes. */
interface Ready {
  readonly flightUri: string;
  readonly caFile: string;
  readonly username: string;
  readonly password: string;
  readonly pids: { readonly controlApi: number; readonly gateway: number; readonly 'gateway-2'?: number; readonly worker: number };
}

const COMMAND = mainModule('cli');
const STALL_PRELOAD = ownModule('../event-loop/preload', import.meta.url).href;
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 30_000;
const RECHECK_MS = 50;

/** The whole mesh as `jetbridge start` makes it: control-api, gateway and worker, with TLS, tokens and a tunnel. */
export const meshPeer: Peer = {
  name: 'mesh',
  title: 'Jetbridge mesh (TLS, tunnel with mTLS)',
  start: (bench, signal) => startMesh(bench, signal),
};

/** The same with two gateway processes, which share the Flight port. */
export const meshOfTwoGateways: Peer = {
  name: 'mesh-2-gateways',
  title: 'Jetbridge mesh with two gateway processes',
  start: (bench, signal) => startMesh(bench, signal, ['--gateways', '2']),
};

async function startMesh(bench: Bench, signal: AbortSignal, flags: readonly string[] = []): Promise<RunningPeer> {
  const directory = await mkdtemp(join(bench.temporary, 'mesh-'));
  const readyFile = join(directory, 'ready.json');
  const child = spawn(process.execPath, [...startArguments(bench, directory, readyFile), ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // The children of the command inherit it; without a signal it does nothing.
    env: {
      ...process.env,
      NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${STALL_PRELOAD}`,
      BENCH_STALL_DIRECTORY: bench.temporary,
    },
  });
  const complaint = collect(child);
  const closed = once(child, 'close');
  try {
    const ready = await readyReport(readyFile, closed, complaint, signal);
    return {
      target: {
        protocol: 'flight-sql',
        uri: ready.flightUri,
        username: ready.username,
        password: ready.password,
        caFile: ready.caFile,
        tablePrefix: 'tpch.main.',
      },
      processes: [
        { stage: 'gateway', pid: ready.pids.gateway },
        ...(ready.pids['gateway-2'] === undefined ? [] : [{ stage: 'gateway', pid: ready.pids['gateway-2'] }]),
        { stage: 'worker', pid: ready.pids.worker },
        { stage: 'control-api', pid: ready.pids.controlApi },
      ],
      stop: () => stop(child, closed, directory),
    };
  } catch (error) {
    await stop(child, closed, directory);
    throw error;
  }
}

function startArguments(bench: Bench, directory: string, readyFile: string): readonly string[] {
  const state = ['--data-dir', join(directory, 'state'), '--data', dirname(bench.duckdbFile), '--ready-file', readyFile];
  const ports = ['--flight-port', '0', '--tunnel-port', '0', '--http-port', '0'];
  return [...NODE_ARGUMENTS, COMMAND, 'start', ...state, ...ports];
}

function collect(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-4_000);
  });
  return () => text;
}

async function readyReport(file: string, closed: Promise<unknown>, complaint: () => string, signal: AbortSignal): Promise<Ready> {
  let ended = false;
  closed.then(
    () => {
      ended = true;
    },
    () => {
      ended = true;
    },
  );
  const giveUpAtMs = performance.now() + START_TIMEOUT_MS;
  while (!ended && performance.now() < giveUpAtMs) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text !== undefined) {
      return JSON.parse(text) as Ready;
    }
    await delay(RECHECK_MS, undefined, { signal });
  }
  throw new Error(`the mesh did not become ready:\n${complaint()}`);
}

async function stop(child: ChildProcess, closed: Promise<unknown>, directory: string): Promise<void> {
  child.kill('SIGINT');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await closed.catch(() => undefined);
  clearTimeout(timer);
  await rm(directory, { recursive: true, force: true });
}
