import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { cp, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import type { Test } from 'tap';
import { processEnvironment } from '../config.ts';
import { type Database, type DatabasePlace, openDatabase } from '../database/database.ts';

/** Gives a fresh database each time it is called, and removes it at the end of the test. */
export type OpenTestDatabase = (t: Test) => Promise<Database>;

/** Runs one suite on both kinds of database. */
export function onEachDatabase(t: Test, suite: (t: Test, open: OpenTestDatabase) => Promise<void>): void {
  t.test('embedded database', (embedded) => suite(embedded, openEmbedded));
  t.test('PostgreSQL', async (postgres) => {
    const server = await startPostgres(postgres);
    if (server === undefined) {
      return skipOrFail(postgres, 'there is no PostgreSQL here: install its server, or set JETBRIDGE_TEST_POSTGRES_URL');
    }
    return await suite(postgres, (test) => openOnServer(test, server));
  });
}

/** On a developer's machine a missing component skips a test; where CI is set it fails. */
function skipOrFail(t: Test, reason: string): void {
  if (processEnvironment()['CI'] === 'true') {
    t.fail(reason);
  } else {
    t.plan(0, reason);
  }
}

export async function openEmbedded(t: Test): Promise<Database> {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'jetbridge-control-'));
  await placeEmbedded(dataDirectory);
  return await openAndClose(t, { kind: 'embedded', dataDirectory }, () => rm(dataDirectory, { recursive: true, force: true }));
}

/** Puts a ready embedded database where `openDatabase` looks for it. */
export async function placeEmbedded(dataDirectory: string): Promise<void> {
  await cp(await embeddedTemplate(), join(dataDirectory, 'pglite'), { recursive: true });
}

// Creating a PGlite directory takes seconds, copying one does not; it depends on nothing but PGlite's version and the migrations.
async function embeddedTemplate(): Promise<string> {
  const [, packageDirectory] = /^(.*pglite)\/dist\//.exec(createRequire(import.meta.url).resolve('@electric-sql/pglite')) ?? [];
  const { version } = JSON.parse(await readFile(join(String(packageDirectory), 'package.json'), 'utf8')) as { readonly version: string };
  const migrations = await readFile(new URL('../database/migrations.ts', import.meta.url));
  const schema = createHash('sha256').update(migrations).digest('hex').slice(0, 16);
  const template = join(tmpdir(), `jetbridge-test-pglite-${version}-${schema}-${process.getuid?.() ?? 0}`);
  if (!existsSync(join(template, 'pglite', 'PG_VERSION'))) {
    const unfinished = await mkdtemp(`${template}-`);
    const database = await openDatabase({ kind: 'embedded', dataDirectory: unfinished });
    await database.close();
    await rename(unfinished, template).catch(() => rm(unfinished, { recursive: true }));
  }
  return join(template, 'pglite');
}

async function openOnServer(t: Test, serverUrl: string): Promise<Database> {
  const name = `jetbridge_test_${randomBytes(8).toString('hex')}`;
  await queryServer(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return await openAndClose(t, { kind: 'postgres', url: url.href, onLost: () => undefined }, () =>
    queryServer(serverUrl, `drop database ${name} with (force)`),
  );
}

async function openAndClose(t: Test, place: DatabasePlace, remove: () => Promise<void>): Promise<Database> {
  const database = await openDatabase(place);
  t.teardown(async () => {
    await database.close();
    await remove();
  });
  return database;
}

async function queryServer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

/** The URL of a server: a given one, or one started on a Unix socket in a temporary directory. */
async function startPostgres(t: Test): Promise<string | undefined> {
  const given = processEnvironment()['JETBRIDGE_TEST_POSTGRES_URL'];
  if (given !== undefined) {
    return given;
  }
  const [initdb] = [...globSync('/usr/lib/postgresql/*/bin/initdb'), ...globSync('/opt/homebrew/opt/postgresql*/bin/initdb')]
    .sort()
    .reverse();
  const account = serverAccount();
  if (initdb === undefined || account === undefined) {
    return undefined;
  }
  const directory = mkdtempSync(join(tmpdir(), 'jb-pg-'));
  if (account.uid !== undefined && account.gid !== undefined) {
    chownSync(directory, account.uid, account.gid);
  }
  const initialised = spawnSync(
    initdb,
    ['--no-sync', '--auth=trust', '--username=postgres', '--encoding=UTF8', '-D', join(directory, 'db')],
    { ...account, encoding: 'utf8', cwd: directory },
  );
  if (initialised.status !== 0) {
    t.fail(`initdb failed: ${initialised.stderr}`);
    return undefined;
  }
  const server = spawn(
    initdb.replace(/initdb$/, 'postgres'),
    ['-D', join(directory, 'db'), '-k', directory, '-c', 'listen_addresses=', '-c', 'fsync=off', '-c', 'shared_buffers=16MB'],
    {
      ...account,
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const exited = new Promise((resolve) => server.once('exit', resolve));
  t.teardown(async () => {
    server.kill('SIGINT');
    await exited;
    rmSync(directory, { recursive: true, force: true });
  });
  for await (const line of createInterface({ input: server.stderr })) {
    if (line.includes('ready to accept connections')) {
      break;
    }
  }
  server.stderr.resume();
  return `postgres://postgres@${encodeURIComponent(directory)}/postgres`;
}

// PostgreSQL refuses to run as root.
function serverAccount(): { readonly uid?: number; readonly gid?: number } | undefined {
  if (process.getuid?.() !== 0) {
    return {};
  }
  const [uid, gid] = ['-u', '-g'].map((flag) => Number.parseInt(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout, 10));
  return uid === undefined || gid === undefined || Number.isNaN(uid) || Number.isNaN(gid) ? undefined : { uid, gid };
}
