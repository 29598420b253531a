import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openDuckDb } from '@jetbridge/worker/engine/duckdb-engine';
import t from 'tap';
import { ensureSample, generate } from './sample-data.ts';

const never = new AbortController().signal;
const SMALL = 0.001;
const TABLES = ['customer', 'lineitem', 'nation', 'orders', 'part', 'partsupp', 'region', 'supplier'];

// Rows of each table and the XOR of their hashes.
const GOLDEN = [
  'customer 150 10088926904950567786',
  'lineitem 6010 2537315452497582189',
  'nation 25 10973260904228911619',
  'orders 1500 882580383909025440',
  'part 200 16380227152825933523',
  'partsupp 800 6903040340185298796',
  'region 5 5249972127655713588',
  'supplier 10 12026802158571484115',
];

/** Runs SQL whose result is one column of text, by way of a file. */
async function query(directory: string, sql: string): Promise<readonly string[]> {
  const engine = await openDuckDb({ path: ':memory:' });
  const file = join(directory, 'result.csv');
  try {
    const connection = await engine.connect();
    await connection.execute(`COPY (${sql}) TO '${file}' (HEADER false)`);
    await connection.close();
  } finally {
    await engine.close();
  }
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  await rm(file);
  return lines;
}

async function fingerprints(directory: string): Promise<readonly string[]> {
  const each = TABLES.map(
    (table) => `SELECT '${table} ' || count(*) || ' ' || bit_xor(hash(t)) FROM read_parquet('${directory}/${table}.parquet') t`,
  );
  return [...(await query(directory, each.join(' UNION ALL ')))].sort();
}

t.test('every run writes the same rows; other rows need another SAMPLE_VERSION', async (t) => {
  const directory = t.testdir({ one: {}, two: {} });
  const seen: string[] = [];
  await generate(join(directory, 'one'), SMALL, (table) => seen.push(table), never);
  await generate(join(directory, 'two'), SMALL, () => undefined, never);
  t.strictSame(seen.sort(), TABLES);
  const first = await fingerprints(join(directory, 'one'));
  t.strictSame(await fingerprints(join(directory, 'two')), first);
  t.strictSame(first, GOLDEN);
});

t.test('the tables fit together as those of TPC-H do', async (t) => {
  const directory = t.testdir();
  await generate(directory, SMALL, () => undefined, never);
  const table = (name: string): string => `read_parquet('${directory}/${name}.parquet')`;
  const orphans = (child: string, key: string, parent: string, parentKey: string): string =>
    `SELECT '${child}.${key} ' || count(*) FROM ${table(child)} WHERE ${key} NOT IN (SELECT ${parentKey} FROM ${table(parent)})`;
  const checks = [
    orphans('nation', 'n_regionkey', 'region', 'r_regionkey'),
    orphans('supplier', 's_nationkey', 'nation', 'n_nationkey'),
    orphans('customer', 'c_nationkey', 'nation', 'n_nationkey'),
    orphans('partsupp', 'ps_partkey', 'part', 'p_partkey'),
    orphans('partsupp', 'ps_suppkey', 'supplier', 's_suppkey'),
    orphans('orders', 'o_custkey', 'customer', 'c_custkey'),
    orphans('lineitem', 'l_orderkey', 'orders', 'o_orderkey'),
    `SELECT 'lineitem.partsupp ' || count(*) FROM ${table('lineitem')} WHERE (l_partkey, l_suppkey) NOT IN (SELECT (ps_partkey, ps_suppkey) FROM ${table('partsupp')})`,
    `SELECT 'dates ' || count(*) FROM ${table('lineitem')} JOIN ${table('orders')} ON l_orderkey = o_orderkey WHERE l_shipdate <= o_orderdate OR l_receiptdate <= l_shipdate`,
  ];
  for (const line of await query(directory, checks.join(' UNION ALL '))) {
    t.match(line, / 0$/);
  }
  const dull = await query(
    directory,
    `SELECT DISTINCT o_orderstatus FROM ${table('orders')} UNION ALL SELECT DISTINCT l_returnflag || l_linestatus FROM ${table('lineitem')}`,
  );
  t.strictSame([...dull].sort(), ['AF', 'F', 'NF', 'NO', 'O', 'P', 'RF']);
});

t.test('the sample is made once, and nothing half done is taken for it', async (t) => {
  const directory = join(t.testdir(), 'sample');
  const stop = new AbortController();
  await t.rejects(ensureSample(directory, SMALL, () => stop.abort(), stop.signal));
  await t.rejects(stat(directory), { code: 'ENOENT' });
  t.equal(await ensureSample(directory, SMALL, () => undefined, never), true);
  t.equal(await ensureSample(directory, SMALL, () => undefined, never), false);
  t.strictSame((await readdir(directory)).sort(), ['.version', ...TABLES.map((table) => `${table}.parquet`)]);
});
