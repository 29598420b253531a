import { fileURLToPath } from 'node:url';
import { type LoadProgram, startLoadClient } from '../load-client.ts';
import { NODE_ARGUMENTS, ownModule } from '../own-module.ts';
import { type Bench, type Peer, PeerMissing, type RunningPeer } from '../peer.ts';
import type { LoadClient } from '../scenario.ts';

const ENGINE_PROGRAM = fileURLToPath(ownModule('./engine-process/main', import.meta.url));
const PYTHON_PROGRAM = fileURLToPath(new URL('../../clients/python/load.py', import.meta.url));

// No server answers here: the process does the work itself when it is asked to.
const askable = new WeakMap<RunningPeer, LoadClient>();

export const enginePeer: Peer = {
  name: 'engine',
  title: "Jetbridge's engine alone, in its own process",
  start: () => start({ program: process.execPath, args: [...NODE_ARGUMENTS, ENGINE_PROGRAM] }),
};

export const enginePythonPeer: Peer = {
  name: 'engine-python',
  title: 'Python duckdb and pyarrow IPC, in its own process',
  start: ({ tools }: Bench) => {
    if (tools.python === undefined) {
      throw new PeerMissing('Python with duckdb and pyarrow could not be installed');
    }
    return start({ program: tools.python, args: ['-B', PYTHON_PROGRAM] });
  },
};

async function start(program: LoadProgram): Promise<RunningPeer> {
  const process = await startLoadClient(program);
  const running: RunningPeer = {
    target: { protocol: 'duckdb', uri: '', tablePrefix: '' },
    processes: [{ stage: 'engine', pid: process.pid }],
    stop: () => process.close(),
  };
  askable.set(running, process);
  return running;
}

export function engineProcessOf(running: RunningPeer): LoadClient {
  const process = askable.get(running);
  if (process === undefined) {
    throw new TypeError('not a process that holds an engine');
  }
  return process;
}
