import { tableFromIPC } from 'apache-arrow';
import t from 'tap';
import { openDuckDb } from './duckdb-engine.ts';
import { withoutTerminator } from './duckdb-prepare.ts';
import type { EngineConnection } from './engine.ts';
import { framesOf, ipcStream, query } from './result-reading.fixture.ts';

async function open(): Promise<{ connection: EngineConnection }> {
  const engine = await openDuckDb({ path: ':memory:', threads: 1 });
  t.teardown(() => engine.close());
  return { connection: await engine.connect() };
}

t.test('VARIANT columns are cast to text, in place', async (t) => {
  const { connection } = await open();
  await connection.execute("CREATE TABLE t (i INTEGER, v VARIANT); INSERT INTO t VALUES (1, {'a': 1}), (2, 'x'::VARCHAR), (3, NULL)");
  const table = await query(connection, 'SELECT i, v AS i, [v] AS l FROM t WHERE t.i >= ? ORDER BY t.i; -- end', [
    { kind: 'integer', value: 1n },
  ]);
  t.same(
    table.schema.fields.map((field) => field.name),
    ['i', 'i', 'l'],
  );
  t.equal(table.schema.fields[1]?.metadata.get('ARROW:FLIGHT:SQL:TYPE_NAME'), 'VARIANT');
  t.same([...(table.getChildAt(1) ?? [])], ["{'a': 1}", 'x', null]);
  t.same([...(table.getChildAt(2) ?? [])], ["[{'a': 1}]", '[x]', '[NULL]']);
  await t.rejects(query(connection, 'INSERT INTO t VALUES (4, 1) RETURNING v'), { code: 'unimplemented', message: /cast/ });
});

t.test('a type that cannot be exported is refused, not misread', async (t) => {
  const { connection } = await open();
  const sql = 'SELECT sum(i) EXPORT_STATE AS s FROM range(3) t(i)';
  await t.rejects(query(connection, sql), { code: 'unimplemented', message: /AGGREGATE_STATE/ });
  await t.rejects(query(connection, sql, [], 'stored'), { code: 'unimplemented' });
  t.equal((await query(connection, 'SELECT 1')).numRows, 1, 'the connection is free again');
});

t.test('columns of the same shape have one schema, and any difference makes another', async (t) => {
  const { connection } = await open();
  const schemaOf = async (sql: string): Promise<unknown> => (await connection.prepare(sql)).schema;
  const first = await connection.prepare("SELECT 1 AS a, uuid() AS u, 1.5::DECIMAL(4, 1) AS d, 'x'::ENUM ('x') AS e");
  t.equal(await schemaOf("SELECT 2 AS a, uuid() AS u, 2.5::DECIMAL(4, 1) AS d, 'x'::ENUM ('x') AS e"), first.schema);
  t.not(await schemaOf("SELECT 1 AS b, uuid() AS u, 1.5::DECIMAL(4, 1) AS d, 'x'::ENUM ('x') AS e"), first.schema, 'a name');
  t.not(await schemaOf("SELECT 1 AS a, uuid() AS u, 1.5::DECIMAL(5, 1) AS d, 'x'::ENUM ('x') AS e"), first.schema, 'a precision');
  t.not(await schemaOf("SELECT 1::BIGINT AS a, uuid() AS u, 1.5::DECIMAL(4, 1) AS d, 'x'::ENUM ('x') AS e"), first.schema, 'a type');
  const result = await first.execute('stored');
  t.equal(result.schema, first.schema, 'the result has the statement’s own');
  await result.close();
  await connection.execute('SET arrow_lossless_conversion = true');
  t.not(await schemaOf("SELECT 1 AS a, uuid() AS u, 1.5::DECIMAL(4, 1) AS d, 'x'::ENUM ('x') AS e"), first.schema, 'a setting');
});

t.test('Arrow settings of a session that we cannot send are refused', async (t) => {
  const { connection } = await open();
  await connection.execute('SET arrow_large_buffer_size = true');
  await t.rejects(query(connection, "SELECT 'x' AS s"), { code: 'unimplemented' });
});

t.test('a terminator is found only where it is one', async (t) => {
  t.equal(withoutTerminator("SELECT ';' AS \";--\", $$;$$ , E'\\';' ; -- end; \n /* ; */ ;"), "SELECT ';' AS \";--\", $$;$$ , E'\\';'");
  t.equal(withoutTerminator('SELECT $1 -- a'), 'SELECT $1');
});

t.test('a result is what it is when it runs, not what was prepared', async (t) => {
  const { connection } = await open();
  await connection.execute("SET TimeZone = 'UTC'; CREATE TABLE t AS SELECT 1 AS i, '2020-01-01 00:00:00+00'::TIMESTAMPTZ AS at");
  const statement = await connection.prepare('FROM t');
  const types = async (): Promise<readonly string[]> => {
    const result = await statement.execute('stream');
    const table = tableFromIPC(ipcStream(result.schema, await framesOf(result)));
    await result.close();
    t.same(
      table.schema.fields.map((field) => String(field.type)),
      result.schema.fields.map((field) => String(field.type)),
    );
    return [...result.schema.fields.map((field) => String(field.type)), String(table.getChildAt(0)?.get(0))];
  };
  t.match(await types(), ['Int32', /UTC/, '1']);
  await connection.execute("SET TimeZone = 'Asia/Tokyo'");
  t.match(await types(), ['Int32', /Tokyo/, '1']);
  await connection.execute("DROP TABLE t; CREATE TABLE t AS SELECT 'a text that is not an integer' AS i, '2020-01-01'::DATE AS at");
  const changed = await types().catch((error: unknown) => error);
  t.ok(changed instanceof Error || String(changed).startsWith('Utf8,Date'), String(changed));
});
