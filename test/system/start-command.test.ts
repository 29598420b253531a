import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { skipClient, startClient } from '../harness/client.ts';
import { type Command, type Ended, jetbridgeCommand, runToEnd } from '../harness/command.ts';
import { eventually } from '../harness/deadline.ts';
import { type Outcome, only, type Step } from '../harness/job.ts';
import { type Mesh, startMesh } from '../harness/mesh.ts';
import { isAlive, processesNaming } from '../harness/processes.ts';
import { occupyPort } from '../harness/sockets.ts';
import { smallSource } from '../harness/source.ts';
import { temporaryDirectory } from '../harness/temporary.ts';

t.setTimeout(300_000);

const FREE_PORTS = ['--flight-port', '0', '--tunnel-port', '0', '--http-port', '0'];

const shell = await startClient(t, 'jetbridge sql');
const rows = async (mesh: Mesh, sql: string): Promise<Outcome['rows']> => {
  const outcome = only(await shell.run({ ...mesh.login(), steps: [{ action: 'query', sql }] }));
  if (!outcome.ok) {
    throw new Error(outcome.error?.message);
  }
  return outcome.rows;
};
const refused = (...args: readonly string[]): Promise<Ended> => runToEnd(jetbridgeCommand('start', ...args), { limitMs: 60_000 });

/** Root reads everything by two capabilities; without them file modes count for it too. */
function obeyingModes(command: Command): Command {
  const dropped = '-dac_override,-dac_read_search';
  return process.getuid?.() === 0
    ? { program: 'setpriv', args: [`--bounding-set=${dropped}`, `--inh-caps=${dropped}`, command.program, ...command.args] }
    : command;
}

t.test('what cannot work is said in one clear line, with an exit code that is not 0', async (t) => {
  const directory = await temporaryDirectory(t);
  const state = (name: string): readonly string[] => ['--data-dir', join(directory, name), ...FREE_PORTS];
  const port = String(await occupyPort(t));
  await mkdir(join(directory, 'empty'));
  await writeFile(join(directory, 'file.csv'), 'a\n1\n');
  const cases: ReadonlyArray<readonly [name: string, args: readonly string[], says: RegExp]> = [
    ['a flag that does not exist', ['--data-dri', 'x'], /--data-dri.*did you mean --data/],
    ['a port that is no number', ['--flight-port', 'high'], /--flight-port/],
    [
      'a flight port in use',
      ['--data-dir', join(directory, 'a'), '--flight-port', port, '--tunnel-port', '0', '--http-port', '0'],
      new RegExp(`${port}.*in use.*--flight-port`),
    ],
    [
      'an http port in use',
      ['--data-dir', join(directory, 'b'), '--flight-port', '0', '--tunnel-port', '0', '--http-port', port],
      new RegExp(`${port}.*in use.*--http-port`),
    ],
    ['a directory that is not there', [...state('c'), '--data', join(directory, 'nowhere')], /nowhere.*no such directory/],
    ['a file in place of a directory', [...state('d'), '--data', join(directory, 'file.csv')], /file\.csv.*is a file/],
    ['a directory without files to serve', [...state('e'), '--data', join(directory, 'empty')], /empty.*Parquet/],
    ['a data directory that is a file', ['--data-dir', join(directory, 'file.csv'), ...FREE_PORTS], /file\.csv/],
  ];
  for (const [name, args, says] of cases) {
    t.test(name, async (t) => {
      const { code, stderr, stdout } = await refused(...args);
      t.not(code, 0);
      t.match(stderr, says, stdout);
      t.equal(stderr.trim().split('\n').length, 1, stderr);
    });
  }
  t.test('a directory that this account cannot read', async (t) => {
    const locked = join(directory, 'locked');
    await mkdir(locked);
    await chmod(locked, 0o000);
    const { code, stderr } = await runToEnd(obeyingModes(jetbridgeCommand('start', ...state('f'), '--data', locked)), { limitMs: 60_000 });
    t.not(code, 0);
    t.match(stderr, /locked.*cannot be read/);
  });
});

t.test('files of every kind, folders as schemas', { skip: skipClient('local') }, async (t) => {
  const directory = join(await temporaryDirectory(t), 'airport');
  await mkdir(join(directory, 'apron'), { recursive: true });
  const local = await startClient(t, 'local');
  const copy = (query: string, file: string): string => `COPY (${query}) TO '${join(directory, file)}'`;
  const statements = [
    copy('SELECT range AS id FROM range(1000)', 'flights.parquet'),
    copy("SELECT 'A' || range AS name FROM range(7)", 'gates.csv'),
    copy('SELECT range AS seat FROM range(5)', 'seats.json'),
    copy('SELECT range AS plane FROM range(3)', 'apron/planes.parquet'),
    `ATTACH '${join(directory, 'tower.duckdb')}' AS tower`,
    'CREATE TABLE tower.watch AS SELECT range AS hour FROM range(24)',
  ];
  const step: Step = { action: 'sql', statements };
  t.equal(only(await local.run({ uri: '', steps: [step] })).ok, true);
  const mesh = await startMesh(t, { source: directory });
  t.same(await rows(mesh, 'SELECT (SELECT count(*) FROM flights), (SELECT count(*) FROM gates), (SELECT count(*) FROM seats)'), [
    ['1000', '7', '5'],
  ]);
  t.same(await rows(mesh, 'SELECT count(*) FROM apron.planes'), [['3']]);
  t.same(await rows(mesh, 'SELECT count(*) FROM tower.watch'), [['24']]);
  t.equal(await mesh.stop(), 0);
});

t.test('a life of one data directory', async (t) => {
  const source = await smallSource(t);
  const dataDirectory = join(await temporaryDirectory(t), 'state');
  const mesh = await startMesh(t, { source, dataDirectory });

  t.test('is private and holds no secret that others can read', async (t) => {
    t.equal((await stat(dataDirectory)).mode & 0o777, 0o700);
    t.not((await readdir(dataDirectory)).length, 0);
  });

  t.test('a second start on it is refused', async (t) => {
    const { code, stderr } = await refused('--data-dir', dataDirectory, ...FREE_PORTS);
    t.not(code, 0);
    t.match(stderr, /in use/);
    t.equal(stderr.trim().split('\n').length, 1, stderr);
    t.same(await rows(mesh, 'SELECT count(*) FROM gate'), [['3']], 'and the first goes on');
  });

  t.test('a second mesh beside the first is independent of it', async (t) => {
    const other = await startMesh(t, { source });
    t.not(other.ready.flightUri, mesh.ready.flightUri);
    t.not(other.ready.password, mesh.ready.password);
    const stranger = only(
      await shell.run({ ...other.login(), password: mesh.ready.password, steps: [{ action: 'query', sql: 'SELECT 1' }] }),
    );
    t.equal(stranger.ok, false, 'passwords of one open nothing at the other');
    t.equal(await other.stop(), 0);
    t.same(await rows(mesh, 'SELECT count(*) FROM gate'), [['3']]);
  });

  t.test('Ctrl-C ends everything, and the next start finds what was there', async (t) => {
    await rows(mesh, 'CREATE TABLE kept AS SELECT range AS id FROM range(5)');
    const { pids } = mesh.ready;
    t.equal(await mesh.stop(), 0, 'exit code');
    await eventually(
      'no process is left',
      5_000,
      () => [...Object.values(pids).filter(isAlive), ...processesNaming(dataDirectory)],
      (left) => left.length === 0,
    );

    const started = performance.now();
    const again = await startMesh(t, { source, dataDirectory });
    const elapsedMs = performance.now() - started;
    t.comment(`second start: ${elapsedMs.toFixed(0)} ms`);
    t.ok(elapsedMs < 20_000, `${elapsedMs} ms`);
    t.equal(again.ready.username, mesh.ready.username);
    t.same(await rows({ ...again, login: () => ({ ...again.login(), password: mesh.ready.password }) }, 'SELECT count(*) FROM kept'), [
      ['5'],
    ]);
    t.equal(await again.stop(), 0);
  });
});
