import t from 'tap';
import { skipClient, startClient } from '../harness/client.ts';
import { only, type Step } from '../harness/job.ts';
import { startMesh } from '../harness/mesh.ts';
import { smallSource } from '../harness/source.ts';

t.setTimeout(180_000);

// Python DuckDB takes its time zone from TZ too, and TIMESTAMPTZ columns name it.
const mesh = await startMesh(t, { source: await smallSource(t), environment: { TZ: 'UTC' } });

const compare = (sql: string, localSql = sql): Step => ({ action: 'compare', sql, localSql });

t.test('values and schema of every DuckDB type equal Python DuckDB’s own Arrow', { skip: skipClient('adbc') }, async (t) => {
  const client = await startClient(t, 'adbc');

  t.test('test_all_types()', async (t) => {
    const result = only(await client.run({ ...mesh.login(), steps: [compare('SELECT * FROM test_all_types()')] }));
    t.equal(result.ok, true, JSON.stringify(result.error));
    t.same(result.differences, []);
    t.ok(Number(result.columnCount) > 50, `${String(result.columnCount)} columns`);
  });

  t.test('VARIANT, which has no Arrow form, is sent as text', async (t) => {
    const variant = "SELECT {'a': [1, NULL], 'b': 'x'}::VARIANT AS v UNION ALL SELECT NULL";
    const text = "SELECT {'a': [1, NULL], 'b': 'x'}::VARIANT::VARCHAR AS v UNION ALL SELECT NULL";
    const result = only(await client.run({ ...mesh.login(), steps: [compare(variant, text)] }));
    t.equal(result.ok, true, JSON.stringify(result.error));
    t.same(result.differences, []);
  });

  t.test('every type in larger results, sliced, filtered and in nested places', async (t) => {
    const sql = 'SELECT t.* FROM test_all_types() t, range(5000) r(i) WHERE i % 3 <> 1';
    const steps = [
      compare('SELECT i, i::VARCHAR AS s, CASE WHEN i % 3 = 0 THEN i END AS n, [i, NULL, i + 1] AS l FROM range(20000) t(i) ORDER BY i'),
      compare("SELECT {'a': i, 'b': [{'c': i::VARCHAR}]} AS s, MAP {i: [i]} AS m FROM range(3000) t(i) ORDER BY i"),
      compare('SELECT repeat(chr(65 + (i % 26)::INT), 40000) AS wide FROM range(500) t(i) ORDER BY i'),
      compare('SELECT i % 2 = 0 AS b, (i % 7)::UTINYINT AS u, i::HUGEINT AS h, i::DECIMAL(38, 3) AS d FROM range(10000) t(i) ORDER BY i'),
      compare(`SELECT count(*) AS c FROM (${sql})`),
    ];
    const answered = await client.run({ ...mesh.login(), steps });
    answered.steps.forEach((step, index) => {
      t.equal(step.ok, true, JSON.stringify(step.error));
      t.same(step.differences, [], String(steps[index]?.sql));
    });
  });
});
