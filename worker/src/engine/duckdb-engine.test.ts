import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openDuckDb } from './duckdb-engine.ts';
import type { Engine, EngineConnection } from './engine.ts';
import { framesOf, query } from './result-reading.fixture.ts';

const HEAVY = 'SELECT count(*) FROM range(200000) a, range(200000) b WHERE a.range * b.range % 7 = 3';

async function open(t: Test): Promise<{ engine: Engine; connection: EngineConnection }> {
  const engine = await openDuckDb({ path: ':memory:', threads: 2 });
  t.teardown(() => engine.close());
  return { engine, connection: await engine.connect() };
}

t.test("errors carry the code of their cause and DuckDB's own words", async (t) => {
  const { connection } = await open(t);
  await connection.execute('CREATE TABLE t (i INTEGER PRIMARY KEY NOT NULL); INSERT INTO t VALUES (1)');
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['SELEC 1', 'invalid_argument', /Parser Error.*"SELEC"/],
    ['SELECT nope FROM t', 'invalid_argument', /Binder Error.*"nope"/],
    ["SELECT 'a'::INTEGER", 'invalid_argument', /Conversion Error/],
    ['SELECT * FROM nope', 'not_found', /Table with name nope does not exist/],
    ["SELECT * FROM '/nowhere/x.parquet'", 'not_found', /No files found/],
    ['CREATE TABLE t (i INTEGER)', 'already_exists', /already exists/],
    ['INSERT INTO t VALUES (1)', 'already_exists', /Duplicate key/],
    ['INSERT INTO t VALUES (NULL)', 'failed_precondition', /NOT NULL/],
    ['SELECT 1; SELECT 2', 'invalid_argument', /one statement/],
    ['', 'invalid_argument', /no statement/],
    [' -- nothing', 'invalid_argument', /no statement/],
    ['SELECT 1\0; DROP TABLE t', 'invalid_argument', /NUL/],
    ['SELECT $2', 'invalid_argument', /\$1/],
    ["SELECT error('mine')", 'invalid_argument', /mine/],
  ];
  for (const [sql, code, message] of cases) {
    await t.rejects(query(connection, sql), { code, message }, sql);
  }
  t.equal((await query(connection, 'SELECT * FROM t')).numRows, 1, 'nothing of that did harm');
});

t.test('a write conflict is aborted, and the transaction stays open until it is rolled back', async (t) => {
  const { engine, connection } = await open(t);
  const other = await engine.connect();
  await connection.execute('CREATE TABLE t AS SELECT 1 AS i; BEGIN; UPDATE t SET i = 2');
  await other.execute('BEGIN');
  await t.rejects(other.execute('UPDATE t SET i = 3'), { code: 'aborted' });
  await t.rejects(other.execute('SELECT 1'), { code: 'failed_precondition', message: /ROLLBACK/ });
  t.equal(other.inTransaction(), true);
  await other.execute('ROLLBACK');
  t.equal(other.inTransaction(), false);
  await connection.execute('COMMIT');
});

t.test('a COMMIT that fails leaves no transaction', async (t) => {
  const { engine, connection } = await open(t);
  const other = await engine.connect();
  await connection.execute('CREATE TABLE t (i INTEGER PRIMARY KEY); BEGIN; INSERT INTO t VALUES (1)');
  await other.execute('BEGIN; INSERT INTO t VALUES (1); COMMIT');
  await t.rejects(connection.execute('COMMIT'));
  t.equal(connection.inTransaction(), false);
  await connection.execute('BEGIN');
  t.equal(connection.inTransaction(), true);
});

t.test('statements are told apart before they run', async (t) => {
  const { connection } = await open(t);
  await connection.execute('CREATE TABLE t (i INTEGER); CREATE SEQUENCE s');
  const cases: readonly (readonly [string, 'rows' | 'effect', boolean])[] = [
    ['SELECT 1', 'rows', true],
    ['FROM t', 'rows', true],
    ['VALUES (1)', 'rows', true],
    ['SHOW TABLES', 'rows', true],
    ["PRAGMA table_info('t')", 'rows', true],
    ['EXPLAIN SELECT 1', 'rows', true],
    ['EXPLAIN ANALYZE INSERT INTO t VALUES (1)', 'rows', false],
    ['CALL pragma_version()', 'rows', false],
    ['INSERT INTO t VALUES (1) RETURNING i', 'rows', false],
    ['DELETE FROM t RETURNING *', 'rows', false],
    ['INSERT INTO t VALUES (1)', 'effect', false],
    ['UPDATE t SET i = 1', 'effect', false],
    ['CREATE TABLE u AS SELECT 1', 'effect', false],
    ['CREATE TABLE u (i INTEGER)', 'effect', false],
    ['BEGIN', 'effect', false],
    ['SET threads = 2', 'effect', false],
    ['CHECKPOINT', 'effect', false],
    ["ATTACH ':memory:' AS other", 'effect', false],
  ];
  for (const [sql, kind, readOnly] of cases) {
    const statement = await connection.prepare(sql);
    t.same([statement.kind, statement.readOnly], [kind, readOnly], sql);
    t.equal(statement.schema.fields.length > 0, kind === 'rows', sql);
    statement.close();
  }
  t.equal((await query(connection, 'FROM t')).numRows, 0, 'preparing ran nothing');
});

t.test('effects count rows; RETURNING answers them', async (t) => {
  const { connection } = await open(t);
  const changed = async (sql: string): Promise<number | undefined> => {
    const statement = await connection.prepare(sql);
    const result = await statement.execute('stored');
    statement.close();
    return result.changedRows;
  };
  t.equal(await changed('CREATE TABLE t (i INTEGER)'), 0);
  t.equal(await changed('INSERT INTO t SELECT * FROM range(10)'), 10);
  t.equal(await changed('UPDATE t SET i = 0 WHERE i > 5'), 4);
  t.equal(await changed('DELETE FROM t WHERE i = 99'), 0);
  t.equal((await query(connection, 'DELETE FROM t RETURNING i', [], 'stored')).numRows, 10);
  t.equal(await changed('DROP TABLE t'), 0);
});

t.test('a running statement is interrupted within 200 ms, however early the interruption comes', async (t) => {
  const { connection } = await open(t);
  const statement = await connection.prepare(HEAVY);
  for (const delay of [0, 1, 30]) {
    const running = statement.execute('stored');
    running.catch(() => undefined);
    for (let turn = 0; turn < delay; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const start = performance.now();
    connection.interrupt();
    await t.rejects(running, { code: 'cancelled' });
    t.ok(performance.now() - start < 200, `after ${delay} turns it took ${Math.round(performance.now() - start)} ms`);
  }
  t.equal((await query(connection, 'SELECT 1')).numRows, 1);
});

t.test('an interruption reaches what waits for its turn', async (t) => {
  const { connection } = await open(t);
  const first = query(connection, HEAVY, [], 'stored');
  const second = connection.execute(HEAVY);
  connection.interrupt();
  await t.rejects(first, { code: 'cancelled' });
  await t.rejects(second, { code: 'cancelled' });
});

t.test('a stream that computes is interrupted by closing it', async (t) => {
  const { connection } = await open(t);
  const statement = await connection.prepare(
    'SELECT a.range FROM range(3000000) a, range(3000000) b WHERE a.range * b.range % 1000003 = 5 AND b.range > 2999990',
  );
  const result = await statement.execute('stream');
  const reading = framesOf(result);
  reading.catch(() => undefined);
  const start = performance.now();
  await result.close();
  t.ok(performance.now() - start < 400, 'closing does not wait for the computation');
  await t.rejects(reading, { code: 'cancelled' });
  t.equal((await query(connection, 'SELECT 1')).numRows, 1);
});

t.test('closing a stream in the middle frees what its query holds', async (t) => {
  const { engine, connection } = await open(t);
  const other = await engine.connect();
  const held = async (): Promise<number> => {
    const table = await query(other, 'SELECT sum(memory_usage_bytes)::DOUBLE AS bytes FROM duckdb_memory()');
    return table.getChild('bytes')?.get(0);
  };
  await connection.execute('CREATE TABLE t AS SELECT i, hash(i) AS h FROM range(1000000) t(i); CHECKPOINT');
  const before = await held();
  const result = await (await connection.prepare('FROM t ORDER BY h')).execute('stream');
  (await result.next())?.release();
  // Let the batch that is read ahead be done, so that no fetch is left to notice the interruption.
  for (let i = 0; i < 100; i++) {
    await query(other, 'SELECT 1');
  }
  const during = await held();
  await result.close();
  const after = await held();
  t.ok(during - before > 10_000_000, `the sort holds ${during - before} bytes`);
  t.ok(after - before < 5_000_000, `${after - before} bytes are left`);
});

t.test('mid-stream failures reject, whatever failed', async (t) => {
  const { connection } = await open(t);
  const failing = [
    ["SELECT CASE WHEN i = 3000000 THEN error('boom') ELSE i END FROM range(4000000) t(i)", /boom/],
    ["SELECT (CASE WHEN i = 3000000 THEN 'x' ELSE i::VARCHAR END)::BIGINT FROM range(4000000) t(i)", /Could not convert/],
  ] as const;
  for (const [sql, message] of failing) {
    for (const mode of ['stream', 'stored'] as const) {
      await t.rejects(query(connection, sql, [], mode), { code: 'invalid_argument', message });
    }
  }
});

t.test('stored results leave the connection free and survive their statement', async (t) => {
  const { connection } = await open(t);
  const statement = await connection.prepare('SELECT * FROM range(100000)');
  const stored = await statement.execute('stored');
  const again = await statement.execute('stored');
  statement.close();
  t.equal((await query(connection, 'SELECT 1')).numRows, 1);
  t.ok((await framesOf(stored)).length > 1);
  t.ok((await framesOf(again)).length > 1);
  const streaming = await connection.prepare('SELECT * FROM range(100000)');
  const stream = await streaming.execute('stream');
  streaming.close();
  t.ok((await framesOf(stream)).length > 1, 'a stream survives its statement');
  await stored.close();
  const next = await (await connection.prepare('SELECT * FROM range(1000000)')).execute('stream');
  await again.close();
  await stream.close();
  await t.rejects(connection.prepare('SELECT 1'), { code: 'failed_precondition' }, 'closing older results frees nothing of the newer');
  await next.close();
});

t.test('connections run at the same time, each with its own session', async (t) => {
  const { engine, connection } = await open(t);
  const other = await engine.connect();
  await connection.execute('CREATE TEMP TABLE mine AS SELECT 1 AS i');
  await t.rejects(query(other, 'FROM mine'), { code: 'not_found' });
  const sql = 'SELECT i, i::VARCHAR AS s FROM range(200000) t(i)';
  const tables = await Promise.all([query(connection, sql), query(other, sql)]);
  t.same(
    tables.map((table) => table.numRows),
    [200000, 200000],
  );
});

t.test('deep expressions fail or work, but do not take the process down', async (t) => {
  const { connection } = await open(t);
  const deep = `SELECT ${'CASE WHEN 1 = 1 THEN '.repeat(900)}1${' END'.repeat(900)}`;
  t.equal((await query(connection, deep)).numRows, 1);
  await t.rejects(query(connection, `SELECT ${'1 + '.repeat(5000)}1`), { code: 'invalid_argument', message: /depth/ });
  t.equal((await query(connection, `SELECT ${'1, '.repeat(1000)}1`)).schema.fields.length, 1001, 'many columns');
  t.equal((await query(connection, `SELECT '${'x'.repeat(1_000_000)}'`)).numRows, 1, 'long text');
});

t.test('a connection that is closed in the middle of everything', async (t) => {
  const { engine } = await open(t);
  for (let round = 0; round < 20; round++) {
    const connection = await engine.connect();
    const statement = await connection.prepare('SELECT * FROM range(100000)');
    const results = await Promise.all([statement.execute('stored'), statement.execute('stream')]);
    const reading = results.map((result) => framesOf(result).catch(() => undefined));
    const closing = connection.close();
    const late = await Promise.allSettled([connection.prepare('SELECT 1'), statement.execute('stored'), connection.execute('SELECT 1')]);
    t.same(
      late.map((call) => call.status === 'rejected' && call.reason.code),
      ['failed_precondition', 'failed_precondition', 'failed_precondition'],
    );
    await Promise.all([...reading, closing]);
  }
});

t.test('files: read only, in use, not there', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'jetbridge-engine-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const path = join(directory, 'one.duckdb');
  await t.rejects(openDuckDb({ path, readOnly: true }), { code: 'not_found' });
  const engine = await openDuckDb({ path, threads: 1, memoryLimitBytes: 100_000_000, tempDirectory: directory });
  await (await engine.connect()).execute('CREATE TABLE t AS SELECT 1 AS i');
  await engine.close();
  await engine.close();
  const reading = await openDuckDb({ path, readOnly: true });
  const connection = await reading.connect();
  await t.rejects(connection.execute('INSERT INTO t VALUES (2)'), { message: /read-only/ });
  await reading.close();
  await t.rejects(openDuckDb({ path: ':memory:', settings: { nonsense: '1' } }), { code: 'invalid_argument' });
});

t.test('exhausted memory is resource_exhausted', async (t) => {
  const engine = await openDuckDb({ path: ':memory:', memoryLimitBytes: 20_000_000, threads: 1, settings: { temp_directory: '' } });
  t.teardown(() => engine.close());
  const connection = await engine.connect();
  await t.rejects(query(connection, 'SELECT * FROM range(20000000) t(i) ORDER BY hash(i)', [], 'stored'), { code: 'resource_exhausted' });
});
