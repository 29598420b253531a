import { StatusError } from '@jetbridge/proto/status-error';
import t, { type Test } from 'tap';
import { column, type Imported, imported, indexed, message, NO_NULLS, texts, validityOf } from '../arrow/import.fixture.ts';
import type { ImportedBatch } from '../arrow/import-array.ts';
import { openDuckDb } from './duckdb-engine.ts';
import type { EngineConnection } from './engine.ts';
import { INGEST_SLICE_ROWS } from './engine-limits.ts';
import { mutated, seeded } from './import-mutation.fixture.ts';
import { SAMPLES } from './import-samples.fixture.ts';
import { query } from './result-reading.fixture.ts';

const engine = await openDuckDb({ path: ':memory:', threads: 2 });
t.teardown(() => engine.close());

async function open(t: Test): Promise<EngineConnection> {
  const connection = await engine.connect();
  t.teardown(() => connection.close());
  await connection.execute("SET TimeZone = 'UTC'");
  return connection;
}

async function append(connection: EngineConnection, { columns }: Imported, batches: readonly ImportedBatch[]): Promise<void> {
  const appender = connection.appender({ columns, insert: 'INSERT INTO t BY NAME SELECT * FROM uploaded', rows: 'uploaded' });
  try {
    for (const batch of batches) {
      await appender.append(batch);
    }
    await appender.finish();
  } finally {
    await appender.close();
  }
}

async function create(connection: EngineConnection, { columns }: Imported): Promise<void> {
  await connection.execute(`CREATE OR REPLACE TABLE t (${columns.map(({ name, sql }) => `"${name}" ${sql}`).join(', ')})`);
}

const int64 = { kind: 'int', bits: 64, signed: true } as const;

t.test('every type arrives as it was sent', async (t) => {
  const connection = await open(t);
  for (const { column: made, type, texts: shown } of SAMPLES) {
    const upload = imported(message([made]));
    const label = `${type} from ${made.field.type.kind}, ${made.nulls} NULLs`;
    await create(connection, upload);
    await append(connection, upload, [upload.batch]);
    const rows = (await query(connection, 'SELECT c::VARCHAR AS c FROM t')).toArray();
    t.same(
      rows.map(({ c }) => c),
      shown,
      label,
    );
    t.equal(
      upload.columns[0]?.sql.replaceAll('"', '').replaceAll(', 1)', ',1)').replaceAll(', 2)', ',2)').replaceAll(', 0)', ',0)'),
      type,
      label,
    );
  }
});

t.test('dictionaries are spelled out', async (t) => {
  const connection = await open(t);
  const values = texts('values', ['red', undefined, 'a colour that has no short name']);
  const indices = column('c', { kind: 'int', bits: 8, signed: true }, 5, [validityOf(5, [3]), Int8Array.of(2, 0, 1, 99, 0)]);
  const upload = imported(message([indexed(indices, values, 7n)]), [message([values])]);
  await create(connection, upload);
  await append(connection, upload, [upload.batch, upload.batch]);
  const rows = (await query(connection, 'SELECT c FROM t LIMIT 5')).toArray();
  t.same(
    rows.map(({ c }) => c),
    ['a colour that has no short name', 'red', null, null, 'red'],
  );
  t.equal(upload.columns[0]?.sql, 'VARCHAR');
});

t.test('an empty dictionary serves a column of NULLs', async (t) => {
  const connection = await open(t);
  const values = texts('values', []);
  const indices = column('c', { kind: 'int', bits: 32, signed: true }, 2, [validityOf(2, [0, 1]), Int32Array.of(5, -1)]);
  const upload = imported(message([indexed(indices, values, 7n)]), [message([values])]);
  await create(connection, upload);
  await append(connection, upload, [upload.batch]);
  t.same((await query(connection, 'SELECT count(*)::INTEGER AS n, count(c)::INTEGER AS c FROM t')).toArray()[0]?.toJSON(), { n: 2, c: 0 });
});

t.test('a batch of many slices arrives in order, nested values too', async (t) => {
  const connection = await open(t);
  const rows = INGEST_SLICE_ROWS * 3 + 5;
  const nulls = Array.from({ length: rows }, (_, i) => i).filter((i) => i % 7 === 3);
  const numbers = BigInt64Array.from({ length: rows }, (_, i) => BigInt(i));
  const offsets = Int32Array.from({ length: rows + 1 }, (_, i) => Math.floor(i / 2));
  const items = column('item', int64, rows, [validityOf(rows, nulls), numbers]);
  const flags = column('flag', { kind: 'bool' }, rows * 2, [NO_NULLS, validityOf(rows * 2, nulls)]);
  const words = Array.from({ length: rows }, (_, i) => (i % 7 === 3 ? undefined : `word number ${i}`));
  const upload = imported(
    message([
      column('id', int64, rows, [NO_NULLS, numbers]),
      column('some', int64, rows, [validityOf(rows, nulls), numbers]),
      texts('word', words),
      column('list', { kind: 'list' }, rows, [NO_NULLS, offsets], [items]),
      column('pair', { kind: 'fixed_list', size: 2 }, rows, [NO_NULLS], [flags]),
      column('nested', { kind: 'struct' }, rows, [validityOf(rows, nulls)], [texts('word', words)]),
    ]),
  );
  await create(connection, upload);
  await append(connection, upload, [upload.batch]);
  const [wrong] = (
    await query(
      connection,
      `SELECT count(*)::INTEGER AS n,
        count(*) FILTER ("some" IS DISTINCT FROM CASE WHEN id % 7 <> 3 THEN id END)::INTEGER AS "some",
        count(*) FILTER (word IS DISTINCT FROM CASE WHEN id % 7 <> 3 THEN 'word number ' || id END)::INTEGER AS word,
        count(*) FILTER (nested.word IS DISTINCT FROM word)::INTEGER AS nested,
        count(*) FILTER (len("list") <> id % 2 OR (id % 2 = 1 AND "list"[1] IS DISTINCT FROM CASE WHEN (id // 2) % 7 <> 3 THEN id // 2 END))::INTEGER AS "list",
        count(*) FILTER ("pair"[1] <> (id * 2 >= ${rows} OR (id * 2) % 7 <> 3))::INTEGER AS pair
      FROM t`,
    )
  ).toArray();
  t.same(wrong?.toJSON(), { n: rows, some: 0, word: 0, nested: 0, list: 0, pair: 0 });
});

t.test('what does not fit the table fails, and nothing of it stays', async (t) => {
  const connection = await open(t);
  await connection.execute('CREATE OR REPLACE TABLE t (id BIGINT PRIMARY KEY)');
  const good = imported(message([column('id', int64, 2, [NO_NULLS, BigInt64Array.of(1n, 2n)])]));
  const again = imported(message([column('id', int64, 1, [NO_NULLS, BigInt64Array.of(2n)])]));
  await connection.execute('BEGIN');
  await t.rejects(append(connection, good, [good.batch, again.batch]), { code: 'already_exists' });
  await connection.execute('ROLLBACK');
  const other = imported(message([column('nope', int64, 1, [NO_NULLS, BigInt64Array.of(2n)])]));
  await t.rejects(append(connection, other, [other.batch]), { code: 'invalid_argument', message: /nope/ });
  const appender = connection.appender({ columns: good.columns, insert: 'INSERT INTO t BY NAME SELECT * FROM uploaded', rows: 'uploaded' });
  await appender.append(good.batch);
  await appender.close();
  await t.rejects(appender.append(good.batch), { code: 'failed_precondition' });
  t.equal((await query(connection, 'SELECT * FROM t')).numRows, 0, 'what was not finished is dropped');
});

t.test('maps with NULL or repeated keys are refused', async (t) => {
  const connection = await open(t);
  for (const keys of [
    [validityOf(2, [1]), Int32Array.of(1, 2)],
    [NO_NULLS, Int32Array.of(1, 1)],
  ]) {
    const int32 = { kind: 'int', bits: 32, signed: true } as const;
    const entries = column('e', { kind: 'struct' }, 2, [NO_NULLS], [column('k', int32, 2, keys), column('v', int32, 2, keys)]);
    const upload = imported(message([column('c', { kind: 'map' }, 1, [NO_NULLS, Int32Array.of(0, 2)], [entries])]));
    await create(connection, upload);
    await t.rejects(append(connection, upload, [upload.batch]), { code: 'invalid_argument' });
  }
});

t.test('an interruption ends an append', async (t) => {
  const connection = await open(t);
  const upload = imported(message([column('id', int64, 1, [NO_NULLS, BigInt64Array.of(1n)])]));
  await create(connection, upload);
  const appender = connection.appender({
    columns: upload.columns,
    insert: 'INSERT INTO t BY NAME SELECT * FROM uploaded',
    rows: 'uploaded',
  });
  const appending = appender.append(upload.batch);
  connection.interrupt();
  await t.rejects(appending, { code: 'cancelled' });
  await appender.close();
  await connection.close();
  await appender.close();
});

t.test('damaged messages are refused or taken, but do no harm', { timeout: 120_000 }, async (t) => {
  const connection = await open(t);
  const random = seeded(20_260_101);
  let taken = 0;
  let refused = 0;
  for (let round = 0; round < 25; round++) {
    for (const { column: made } of SAMPLES) {
      const damaged = mutated(message([made, texts('other', ['x', 'é', undefined])]), random);
      try {
        const upload = imported(damaged);
        await create(connection, upload);
        await append(connection, upload, [upload.batch]);
        await query(connection, 'SELECT max(c::VARCHAR) AS c, max(other) AS o FROM t');
        taken += 1;
      } catch (thrown) {
        if (
          !(thrown instanceof StatusError || thrown instanceof RangeError) ||
          (thrown instanceof StatusError && thrown.code === 'internal')
        ) {
          throw thrown;
        }
        refused += 1;
      }
    }
  }
  t.ok(taken > 300, `${taken} were taken`);
  t.ok(refused > 300, `${refused} were refused`);
  t.equal((await query(connection, 'SELECT 1 AS one')).numRows, 1);
});
