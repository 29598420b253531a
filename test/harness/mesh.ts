import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { jetbridgeCommand, repositoryRoot } from './command.ts';
import { within } from './deadline.ts';
import { jsonFile } from './files.ts';
import { type Cleanup, temporaryDirectory } from './temporary.ts';

/** The content of the ready file: the mesh's public face for scripts. */
export interface Ready {
  readonly flightUri: string;
  readonly caFile: string;
  readonly apiUrl: string;
  readonly tunnelAddress: string;
  readonly username: string;
  readonly password: string;
  readonly pids: {
    readonly controlApi: number;
    readonly gateway: number;
    readonly [further: `gateway-${number}`]: number;
    readonly worker: number;
  };
}

export interface MeshOptions {
  /** Kept by the caller; a temporary one otherwise. */
  readonly dataDirectory?: string;
  /** Directory to serve; the small built-in one otherwise is the generated sample, which takes seconds. */
  readonly source?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

/** A mesh of three processes and its supervisor, started by the public command in a process group of its own. */
export interface Mesh {
  readonly dataDirectory: string;
  readonly supervisor: ChildProcess;
  /** As of the last `ready` or `restarted`. */
  ready: Ready;
  /** Standard output once it holds the text: the banner follows the ready file. */
  stdoutWith(text: string): Promise<string>;
  /** Job fields that sign in as the administrator. */
  login(): { uri: string; caFile: string; user: string; password: string };
  /** Resolves when the supervisor reports another pid for the process and everything answers again. */
  restarted(process: keyof Ready['pids'], oldPid: number): Promise<Ready>;
  /** Ctrl-C, as a terminal sends it, and the exit code. Idempotent. */
  stop(): Promise<number | null>;
}

const START_LIMIT_MS = 90_000;
const RESTART_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 30_000;

/** Starts a mesh on free ports and waits until it says that everything answers. */
export async function startMesh(t: Cleanup, options: MeshOptions = {}): Promise<Mesh> {
  const directory = await temporaryDirectory(t);
  const dataDirectory = options.dataDirectory ?? join(directory, 'state');
  const readyFile = join(directory, 'ready.json');
  await rm(readyFile, { force: true });
  const ports = ['--flight-port', '0', '--tunnel-port', '0', '--http-port', '0'];
  const source = options.source === undefined ? [] : ['--data', options.source];
  const command = jetbridgeCommand(
    'start',
    '--data-dir',
    dataDirectory,
    '--ready-file',
    readyFile,
    ...ports,
    ...source,
    ...(options.flags ?? []),
  );
  const supervisor = spawn(command.program, command.args, {
    cwd: repositoryRoot,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.environment },
  });
  const output = collect(supervisor);
  const exited = once(supervisor, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const mesh: Mesh = {
    dataDirectory,
    supervisor,
    ready: undefined as unknown as Ready,
    stdoutWith: (text) => within(`"${text}" on standard output`, STOP_LIMIT_MS, outputWith(supervisor, output, text)),
    login: () => ({ uri: mesh.ready.flightUri, caFile: mesh.ready.caFile, user: mesh.ready.username, password: mesh.ready.password }),
    restarted: async (name, oldPid) => {
      const accept = (ready: Ready): boolean => ready.pids[name] !== oldPid;
      mesh.ready = await jsonFile(readyFile, accept, `restart of ${name}\n${output.all}`, RESTART_LIMIT_MS);
      return mesh.ready;
    },
    stop: () => stop(supervisor, exited),
  };
  t.teardown(() => mesh.stop());
  const ready = jsonFile<Ready>(readyFile, () => true, 'start of the mesh', START_LIMIT_MS);
  const ended = exited.then(([code, signal]): never => {
    throw new Error(`the mesh ended (${code ?? signal}) instead of becoming ready:\n${output.all}`);
  });
  ended.catch(() => undefined);
  mesh.ready = await Promise.race([ready, ended]).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${output.all}`, { cause: error });
  });
  return mesh;
}

function collect(child: ChildProcess): { stdout: string; all: string } {
  const output = { stdout: '', all: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
    output.all += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.all += text;
  });
  return output;
}

async function outputWith(child: ChildProcess, output: { readonly stdout: string }, text: string): Promise<string> {
  while (!output.stdout.includes(text)) {
    await once(child.stdout as Readable, 'data');
  }
  return output.stdout;
}

async function stop(supervisor: ChildProcess, exited: Promise<[number | null, NodeJS.Signals | null]>): Promise<number | null> {
  if (supervisor.exitCode === null && supervisor.signalCode === null) {
    // A test that failed may have left it frozen.
    supervisor.kill('SIGCONT');
    supervisor.kill('SIGINT');
  }
  try {
    const [code] = await within('the mesh stops', STOP_LIMIT_MS, exited);
    return code;
  } catch (error) {
    supervisor.kill('SIGKILL');
    throw error;
  }
}
