import t from 'tap';
import { openDuckDb } from './duckdb-engine.ts';
import { withoutTerminator } from './duckdb-prepare.ts';
import type { EngineConnection } from './engine.ts';
import { query } from './result-reading.fixture.ts';

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

t.test('Arrow settings of a session that we cannot send are refused', async (t) => {
  const { connection } = await open();
  await connection.execute('SET arrow_large_buffer_size = true');
  await t.rejects(query(connection, "SELECT 'x' AS s"), { code: 'unimplemented' });
});

t.test('a terminator is found only where it is one', async (t) => {
  t.equal(withoutTerminator("SELECT ';' AS \";--\", $$;$$ , E'\\';' ; -- end; \n /* ; */ ;"), "SELECT ';' AS \";--\", $$;$$ , E'\\';'");
  t.equal(withoutTerminator('SELECT $1 -- a'), 'SELECT $1');
});
