import { StatusError } from '@jetbridge/proto/status-error';
import { makeTable } from 'apache-arrow';
import t, { type Test } from 'tap';
import { openDuckDb } from './duckdb-engine.ts';
import type { Engine } from './engine.ts';
import { MemoryEngine, type MemoryReply } from './memory-engine.ts';
import { framesOf, query } from './result-reading.fixture.ts';

const NUMBERS = 'SELECT i::INTEGER AS i FROM range(5) t(i) ORDER BY i';
const ENDLESS = 'SELECT 1::INTEGER AS i FROM range(1000000000000)';
const FAILS = "SELECT CASE WHEN i = 3000000 THEN error('boom') ELSE 1 END::INTEGER AS i FROM range(4000000) t(i)";
const CHANGES = 'UPDATE numbers SET i = i + 1';
const INTEGERS = makeTable({ i: new Int32Array([0, 1, 2, 3, 4]) });

const SCRIPT: Readonly<Record<string, MemoryReply>> = {
  [NUMBERS]: { kind: 'rows', schema: INTEGERS.schema, batches: INTEGERS.batches },
  [ENDLESS]: { kind: 'rows', schema: INTEGERS.schema, batches: INTEGERS.batches, endless: true },
  [FAILS]: { kind: 'rows', schema: INTEGERS.schema, batches: INTEGERS.batches, failure: new StatusError('invalid_argument', 'boom') },
  [CHANGES]: { kind: 'effect', changedRows: 3 },
};

async function duckDb(): Promise<Engine> {
  const engine = await openDuckDb({ path: ':memory:', threads: 2 });
  const connection = await engine.connect();
  await connection.execute('CREATE TABLE numbers AS SELECT i::INTEGER AS i FROM range(3) t(i)');
  await connection.close();
  return engine;
}

const ENGINES: Readonly<Record<string, () => Promise<Engine>>> = {
  DuckDB: duckDb,
  'the engine in memory': async () => new MemoryEngine((sql) => SCRIPT[sql]),
};

for (const [name, open] of Object.entries(ENGINES)) {
  t.test(name, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    await contract(t, engine);
  });
}

async function contract(t: Test, engine: Engine): Promise<void> {
  t.test('a query answers rows, as often as it is run', async (t) => {
    const connection = await engine.connect();
    const statement = await connection.prepare(NUMBERS);
    t.equal(statement.kind, 'rows');
    t.equal(statement.readOnly, true);
    t.equal(statement.schema.fields.length, 1);
    for (const mode of ['stream', 'stored', 'stream'] as const) {
      const result = await statement.execute(mode);
      t.equal(result.changedRows, undefined);
      t.equal((await framesOf(result)).length, 1);
      t.equal(await result.next(), undefined, 'the end stays the end');
      await result.close();
      await result.close();
    }
    statement.close();
    t.same(
      [...(await query(connection, NUMBERS)).toArray()].map((row) => row.i),
      [0, 1, 2, 3, 4],
    );
    await connection.close();
  });

  t.test('an effect answers a count and no rows', async (t) => {
    const connection = await engine.connect();
    const statement = await connection.prepare(CHANGES);
    t.equal(statement.kind, 'effect');
    t.equal(statement.readOnly, false);
    t.equal(statement.schema.fields.length, 0);
    const result = await statement.execute('stored');
    t.equal(result.changedRows, 3);
    t.equal(await result.next(), undefined);
    await result.close();
    statement.close();
    await connection.close();
  });

  t.test('a failure in mid-stream is never an end', async (t) => {
    const connection = await engine.connect();
    const statement = await connection.prepare(FAILS);
    const result = await statement.execute('stream');
    await t.rejects(framesOf(result), { code: 'invalid_argument', message: /boom/ });
    await result.close();
    t.equal((await query(connection, NUMBERS)).numRows, 5, 'the connection works on');
    await connection.close();
  });

  t.test('a stream occupies its connection, and closing it in the middle frees it', async (t) => {
    const connection = await engine.connect();
    const statement = await connection.prepare(ENDLESS);
    const result = await statement.execute('stream');
    (await result.next())?.release();
    await t.rejects(connection.prepare(NUMBERS), { code: 'failed_precondition' });
    await t.rejects(statement.execute('stream'), { code: 'failed_precondition' });
    await result.close();
    await t.rejects(result.next(), { code: 'cancelled' });
    t.equal((await query(connection, NUMBERS)).numRows, 5);
    await connection.close();
  });

  t.test('an interruption ends an open stream with cancelled and harms nothing else', async (t) => {
    const [connection, other] = [await engine.connect(), await engine.connect()];
    connection.interrupt();
    const statement = await connection.prepare(ENDLESS);
    const result = await statement.execute('stream');
    (await result.next())?.release();
    connection.interrupt();
    await t.rejects(framesOf(result), { code: 'cancelled' });
    await result.close();
    t.equal((await query(other, NUMBERS)).numRows, 5);
    t.equal((await query(connection, NUMBERS)).numRows, 5);
    await connection.close();
    await other.close();
  });

  t.test('transactions begun by SQL are seen', async (t) => {
    const connection = await engine.connect();
    t.equal(connection.inTransaction(), false);
    await query(connection, 'BEGIN');
    t.equal(connection.inTransaction(), true);
    await t.rejects(query(connection, 'BEGIN'), { code: 'failed_precondition' });
    t.equal(connection.inTransaction(), true);
    await query(connection, 'ROLLBACK');
    t.equal(connection.inTransaction(), false);
    await t.rejects(query(connection, 'COMMIT'), { code: 'failed_precondition' });
    t.equal(connection.inTransaction(), false);
    await connection.execute('BEGIN; COMMIT; BEGIN');
    t.equal(connection.inTransaction(), true);
    await connection.close();
  });

  t.test('what is closed says so', async (t) => {
    const connection = await engine.connect();
    const statement = await connection.prepare(NUMBERS);
    t.throws(() => statement.bind([{ kind: 'null' }]), { code: 'invalid_argument' });
    statement.close();
    statement.close();
    await t.rejects(statement.execute('stream'), { code: 'failed_precondition' });
    await connection.close();
    await connection.close();
    connection.interrupt();
    await t.rejects(connection.prepare(NUMBERS), { code: 'failed_precondition' });
  });

  t.test('closing the engine ends what runs', async (t) => {
    const connection = await engine.connect();
    const result = await (await connection.prepare(ENDLESS)).execute('stream');
    const reading = framesOf(result);
    reading.catch(() => undefined);
    await engine.close();
    await t.rejects(reading, { code: 'cancelled' });
    await t.rejects(engine.connect(), { code: 'failed_precondition' });
  });
}
