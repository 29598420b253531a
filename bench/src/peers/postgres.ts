import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../free-port.ts';
import { type Bench, type Peer, PeerMissing, type RunningPeer } from '../peer.ts';
import { startServer } from '../server-process.ts';

// Not beside the DuckDB file: the mesh serves that folder.
const STATE_DIRECTORY = fileURLToPath(new URL('../../.tools/postgres', import.meta.url));
const LOADER = fileURLToPath(new URL('../../clients/python/load_postgres.py', import.meta.url));
// The load takes a minute on an idle machine.
const LOAD_TIMEOUT_MS = 600_000;

/** PostgreSQL with TPC-H loaded by COPY once, an index on the key of the lookups, and nothing tuned but what hides the disk. */
export const postgresPeer: Peer = { name: 'postgres', title: 'PostgreSQL, no TLS', start };

async function start(bench: Bench, signal: AbortSignal): Promise<RunningPeer> {
  const { postgresDirectory: programs, python } = bench.tools;
  if (programs === undefined || python === undefined) {
    throw new PeerMissing(programs === undefined ? 'PostgreSQL is not installed' : 'Python with ADBC could not be installed');
  }
  const directory = STATE_DIRECTORY;
  const loaded = join(directory, 'loaded');
  const files = join(directory, 'files');
  if (!existsSync(loaded)) {
    await initialize(programs, directory, files);
  }
  const port = await freePort();
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off', 'shared_buffers=1GB', 'max_wal_size=4GB'];
  const server = startServer(
    asOwner({ program: join(programs, 'postgres'), args: ['-D', files, '-p', String(port), ...settings.flatMap((one) => ['-c', one])] }),
  );
  try {
    await server.listens(port, signal);
    const uri = `postgresql://bench@127.0.0.1:${port}/postgres`;
    if (!existsSync(loaded)) {
      bench.log('postgres: loading TPC-H, once');
      run({ program: python, args: ['-B', LOADER, bench.duckdbFile, uri] });
      await writeFile(loaded, '');
    }
    return {
      target: { protocol: 'postgres', uri, tablePrefix: '' },
      processes: [{ stage: 'server', pid: server.pid }],
      stop: () => server.stop(),
    };
  } catch (thrown) {
    await server.stop();
    throw thrown;
  }
}

async function initialize(programs: string, directory: string, files: string): Promise<void> {
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const owner = unprivilegedOwner();
  if (owner !== undefined) {
    await chown(directory, owner.uid, owner.gid);
  }
  run(
    asOwner({
      program: join(programs, 'initdb'),
      args: ['-D', files, '-U', 'bench', '--auth=trust', '--no-sync', '-E', 'UTF8', '--locale=C'],
    }),
  );
}

interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

function run({ program, args }: Command): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: LOAD_TIMEOUT_MS, cwd: '/' });
  if (status !== 0) {
    throw new Error(`${program}: ${error?.message ?? stderr.trim().slice(-1_000)}`);
  }
  return stdout;
}

/** PostgreSQL refuses to run as root; then it runs as the account of its package, or as nobody. */
function asOwner({ program, args }: Command): Command {
  const owner = unprivilegedOwner();
  return owner === undefined
    ? { program, args }
    : { program: 'setpriv', args: [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups', '--', program, ...args] };
}

const NOBODY = 65_534;

function unprivilegedOwner(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout.trim()));
  return uid === undefined || gid === undefined || !(uid > 0) ? { uid: NOBODY, gid: NOBODY } : { uid, gid };
}
