import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { openDuckDb } from '../engine/duckdb-engine.ts';
import { selectTable } from '../query/select.ts';
import { createLogger } from '../telemetry.ts';
import { prepareCatalog } from './prepare-catalog.ts';

interface Served {
  readonly catalogs: readonly string[];
  readonly query: (sql: string) => Promise<readonly unknown[][]>;
  readonly warnings: readonly string[];
  readonly close: () => Promise<void>;
}

/** Serves `source` as a worker does at its start. */
async function serve(t: Test, directory: string): Promise<Served> {
  const warnings: string[] = [];
  const log = createLogger('warn', { write: (line: string) => void warnings.push(JSON.parse(line).path) });
  const engine = await openDuckDb({ path: join(directory, 'data', 'files.duckdb'), threads: 1 });
  t.teardown(() => engine.close());
  const config = { catalog: 'files', sourceDirectory: join(directory, 'source'), dataDirectory: join(directory, 'data') };
  const catalogs = await prepareCatalog(config, engine, log);
  const connection = await engine.connect();
  const query = async (sql: string): Promise<readonly unknown[][]> =>
    (await selectTable(connection, sql)).toArray().map((row) => Object.values(row.toJSON()));
  return { catalogs, query, warnings, close: () => engine.close() };
}

const VIEWS = 'SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL';

async function source(t: Test): Promise<string> {
  const directory = t.testdir({
    data: {},
    source: {
      'Items 2024.csv': 'a,b\n1,x\n2,y\n',
      'items_2024.json': '[{"a": 3}]',
      'order.ndjson': '{"a": 1}\n{"a": 2}\n',
      '2024.csv': 'a\n1\n',
      'broken.parquet': 'no parquet',
      'notes.txt': 'left out',
      'lite.db': 'SQLite format 3',
      '.hidden.csv': 'a\n1\n',
      sales: { 'q1.csv': 'a\n1\n', deep: { 'q2.csv': 'a\n1\n' } },
      main: { 'x.csv': 'a\n1\n' },
    },
  });
  await writeFile(join(directory, 'source', 'packed.csv.gz'), gzipSync('a\n7\n'));
  const made = await openDuckDb({ path: join(directory, 'source', 'sales.duckdb') });
  const connection = await made.connect();
  await connection.execute('CREATE TABLE t (i INTEGER); INSERT INTO t VALUES (9)');
  await made.close();
  return directory;
}

t.test('files become views, folders schemas, databases catalogs', async (t) => {
  const directory = await source(t);
  const { catalogs, query, warnings } = await serve(t, directory);
  t.same(catalogs, ['files', 'sales_db']);
  t.same(await query(VIEWS), [
    ['main', '_2024'],
    ['main', 'items_2024'],
    ['main', 'items_2024_json'],
    ['main', 'order_'],
    ['main', 'packed'],
    ['main_files', 'x'],
    ['sales', 'q1'],
    ['sales_deep', 'q2'],
  ]);
  t.same(await query('SELECT i FROM sales_db.t'), [[9]]);
  t.same(await query('SELECT a::INTEGER FROM packed'), [[7]]);
  t.same(warnings.map((path) => path.slice(path.lastIndexOf('/') + 1)).sort(), ['broken.parquet', 'lite.db']);
});

t.test('what users made survives a restart, views of vanished files do not', async (t) => {
  const directory = await source(t);
  const first = await serve(t, directory);
  await first.query('CREATE TABLE kept AS SELECT 5::INTEGER AS i').catch(() => undefined);
  const setup = await first.query("SELECT count(*)::INTEGER FROM duckdb_tables() WHERE table_name = 'kept'");
  t.same(setup, [[1]]);
  await first.query('CREATE VIEW own AS SELECT 1 AS one').catch(() => undefined);
  await first.close();
  await rm(join(directory, 'source', 'sales'), { recursive: true });
  await mkdir(join(directory, 'source', 'new'));
  await writeFile(join(directory, 'source', 'kept.csv'), 'a\n1\n');
  const second = await serve(t, directory);
  t.same(await second.query('SELECT i FROM kept'), [[5]], 'a file does not replace a table of its name');
  const views = (await second.query(VIEWS)).map(String);
  t.ok(views.includes('main,own'));
  t.notOk(views.some((name) => name.startsWith('sales')));
});

t.test('the engine is locked down', async (t) => {
  const directory = await source(t);
  const { query } = await serve(t, directory);
  await writeFile(join(directory, 'secret.csv'), 'a\n1\n');
  await t.rejects(query(`SELECT * FROM read_csv('${directory}/secret.csv')`), { code: 'permission_denied' });
  await t.rejects(query(`SELECT * FROM read_csv('${directory}/source/../secret.csv')`), { code: 'permission_denied' });
  await t.rejects(query('SET threads = 8'));
  await t.rejects(query('LOAD httpfs'));
  t.equal(existsSync(join(directory, 'data', 'files.duckdb')), true);
});
