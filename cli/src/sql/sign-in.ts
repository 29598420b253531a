import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { findLocalMesh, readCa, requireLocalMesh } from '../api/local-mesh.ts';
import type { Environment } from '../config.ts';
import { ADMIN, type MeshReport } from '../start/mesh-report.ts';
import { type Arguments, type Flag, UsageError } from '../usage.ts';
import type { FlightAddress } from './flight-address.ts';
import type { SignIn } from './flight-client.ts';

export const CONNECTION_FLAGS: readonly Flag[] = [
  { name: 'uri', value: 'URI', about: 'The endpoint, as grpc+tls://HOST:PORT. Without it: the mesh that runs on the data directory here.' },
  {
    name: 'ca',
    value: 'FILE',
    about: 'Root certificates (PEM) that sign the endpoint. Without it: those of the local mesh, or of the system.',
  },
  { name: 'user', short: 'u', value: 'NAME', about: 'Who signs in (default admin on the local mesh).' },
  {
    name: 'password',
    value: 'TEXT',
    about: 'The password; better JETBRIDGE_PASSWORD, which other people here cannot see. Without both: asked for.',
  },
  { name: 'token', value: 'TOKEN', about: 'An access token instead of name and password (JETBRIDGE_TOKEN).' },
  { name: 'data-dir', value: 'DIR', about: 'Where the local mesh keeps its state (JETBRIDGE_DATA_DIR, default ./jetbridge-data).' },
];

export interface ConnectionPlan {
  readonly address: FlightAddress;
  readonly signIn: SignIn;
}

/** Where to connect and as whom: flags first, then the environment, then the local mesh, then the terminal. */
export async function planConnection(args: Arguments, environment: Environment, terminal: Terminal): Promise<ConnectionPlan> {
  const dataDir = args.text('data-dir') ?? environment.dataDir;
  const uri = args.text('uri');
  const mesh = uri === undefined ? await requireLocalMesh(dataDir, '--uri') : await findLocalMesh(dataDir);
  // An endpoint given by hand is the local mesh only when it says the same.
  const local = mesh !== undefined && (uri === undefined || uri === mesh.flightUri) ? mesh : undefined;
  const caFile = args.text('ca') ?? local?.caFile;
  const address = { uri: uri ?? mesh?.flightUri ?? '', caPem: caFile === undefined ? undefined : await readCa(caFile) };
  return { address, signIn: tokenOf(args, environment) ?? (await passwordOf(args, environment, local, terminal)) };
}

/** A name or a password on the command line is meant, even when the environment holds a token. */
function tokenOf(args: Arguments, environment: Environment): SignIn | undefined {
  const token = args.text('token') ?? (args.on('user') || args.on('password') ? undefined : environment.accessToken);
  return token === undefined ? undefined : { kind: 'token', token };
}

async function passwordOf(args: Arguments, environment: Environment, local: MeshReport | undefined, terminal: Terminal): Promise<SignIn> {
  const username = args.text('user') ?? local?.username ?? ADMIN;
  const kept = username === local?.username ? local.password : undefined;
  const password = args.text('password') ?? environment.password ?? kept ?? (await askPassword(username, terminal));
  return { kind: 'password', username, password };
}

export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

/** Reads a password without showing it. */
async function askPassword(username: string, { input, output }: Terminal): Promise<string> {
  if (!input.isTTY) {
    throw new UsageError(
      `give the password of ${username} in JETBRIDGE_PASSWORD or with --password, or an access token in JETBRIDGE_TOKEN`,
    );
  }
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const readline = createInterface({ input, output: silent, terminal: true, historySize: 0 });
  // Only now, when the terminal no longer echoes by itself: what is typed early must not show either.
  output.write(`Password of ${username}: `);
  const gaveUp = new Promise<never>((_, reject) => readline.once('SIGINT', () => reject(new UsageError('no password was given'))));
  try {
    return await Promise.race([readline.question(''), gaveUp]);
  } finally {
    readline.close();
    output.write('\n');
  }
}
