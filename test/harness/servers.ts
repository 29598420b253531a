import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, type Ended, runToEnd } from './command.ts';
import { within } from './deadline.ts';
import { installed } from './installed.ts';
import { freePort } from './sockets.ts';
import { type Cleanup, temporaryDirectory } from './temporary.ts';

const START_LIMIT_MS = 30_000;

export interface Postgres {
  readonly url: string;
  /** The rows of a query, tab separated, one per line. */
  query(sql: string): Promise<string>;
}

/** A PostgreSQL of its own on a free port; as root it runs as the user `postgres`, because it refuses to run as root. */
export async function startPostgres(t: Cleanup): Promise<Postgres> {
  const programs = installed('servers', 'postgresDirectory');
  const directory = await temporaryDirectory(t);
  const owner = await unprivilegedOwner();
  if (owner !== undefined) {
    await chown(directory, owner.uid, owner.gid);
  }
  const files = join(directory, 'postgres');
  const run = (program: string, ...args: readonly string[]): Command => asOwner(owner, join(programs, program), args);
  const made = await runToEnd(run('initdb', '-D', files, '-U', 'jetbridge', '--auth=trust', '--no-sync', '-E', 'UTF8'), { cwd: directory });
  if (made.code !== 0) {
    throw new Error(`initdb: ${made.stderr}`);
  }
  const port = await freePort();
  const server = run('postgres', '-D', files, '-k', directory, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=off');
  await startServer(t, server, /ready to accept connections/, directory, 'SIGINT');
  const psql = (sql: string): Promise<Ended> =>
    runToEnd({
      program: join(programs, 'psql'),
      args: ['-h', '127.0.0.1', '-p', String(port), '-U', 'jetbridge', '-d', 'postgres', '-At', '-F', '\t', '-c', sql],
    });
  return {
    url: `postgres://jetbridge@127.0.0.1:${port}/postgres`,
    query: async (sql) => {
      const { code, stdout, stderr } = await psql(sql);
      if (code !== 0) {
        throw new Error(stderr);
      }
      return stdout.trim();
    },
  };
}

/** A Redis of its own on a free port, without files; answers its port. */
export async function startRedis(t: Cleanup): Promise<number> {
  const directory = await temporaryDirectory(t);
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no', '--logfile', ''];
  await startServer(t, { program: installed('servers', 'redisServer'), args }, /Ready to accept connections/, directory, 'SIGTERM');
  return port;
}

async function startServer(t: Cleanup, command: Command, ready: RegExp, cwd: string, stopSignal: NodeJS.Signals): Promise<void> {
  const child = spawn(command.program, command.args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  t.teardown(async () => {
    child.kill(stopSignal);
    await exited;
  });
  await within(`${command.program} starts`, START_LIMIT_MS, saying(child, ready));
}

function saying(child: ChildProcess, ready: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const listen = (text: string): void => {
      said += text;
      if (ready.test(said)) {
        resolve();
      }
    };
    child.stdout?.setEncoding('utf8').on('data', listen);
    child.stderr?.setEncoding('utf8').on('data', listen);
    child.once('error', reject);
    child.once('exit', () => reject(new Error(said)));
  });
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

async function unprivilegedOwner(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const ids = await Promise.all(['-u', '-g'].map((flag) => runToEnd({ program: 'id', args: [flag, 'postgres'] })));
  const [uid, gid] = ids.map(({ stdout }) => Number(stdout));
  return uid === undefined || gid === undefined || !(uid > 0) ? { uid: 65_534, gid: 65_534 } : { uid, gid };
}

function asOwner(owner: Owner | undefined, program: string, args: readonly string[]): Command {
  if (owner === undefined) {
    return { program, args };
  }
  const identity = [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'];
  return { program: 'setpriv', args: [...identity, '--', program, ...args] };
}
