import t, { type Test } from 'tap';
import { CLIENT_NAMES, skipClient, startClient } from '../harness/client.ts';
import { type Job, type Outcome, only, type Step } from '../harness/job.ts';
import { startMesh } from '../harness/mesh.ts';
import { smallSource } from '../harness/source.ts';

t.setTimeout(240_000);

const mesh = await startMesh(t, { source: await smallSource(t) });

const job = (...steps: readonly Step[]): Job => ({ ...mesh.login(), steps });
const value = (outcome: Outcome | undefined): string | null | undefined => outcome?.rows?.[0]?.[0];

for (const name of CLIENT_NAMES) {
  t.test(name, { skip: skipClient(name) }, async (t) => {
    const client = await startClient(t, name);
    const isShell = name === 'jetbridge sql';
    const table = `made_by_${name.replace(' ', '_')}`;

    t.test('connects and reads rows of a served file', async (t) => {
      const result = only(await client.run(job({ action: 'query', sql: 'SELECT id, name FROM gate ORDER BY id' })));
      t.match(result, { ok: true, rowCount: 3 }, JSON.stringify(result));
      t.same(result.rows, [
        ['1', 'A1'],
        ['2', 'A2'],
        ['3', 'B7'],
      ]);
    });

    t.test('reads NULLs and common types', async (t) => {
      const sql = `SELECT NULL::VARCHAR AS n, 42::BIGINT AS i, 1.5::DOUBLE AS d, true AS b, 1.25::DECIMAL(5,2) AS m,
        TIMESTAMP '2024-01-02 03:04:05' AS t, '\\xAB\\x01'::BLOB AS x, DATE '2024-01-02' AS day, 'é€𝄞' AS s`;
      const result = only(await client.run(job({ action: 'query', sql })));
      t.equal(result.ok, true, JSON.stringify(result.error));
      t.same(
        result.columns?.map((column) => column.name),
        ['n', 'i', 'd', 'b', 'm', 't', 'x', 'day', 's'],
      );
      const expected = [null, '42', '1.5', 'true', '1.25', '2024-01-02T03:04:05', 'ab01', '2024-01-02', 'é€𝄞'];
      if (isShell) {
        t.match(result.rows?.[0]?.join(' '), /42 .*1\.5.* true 1\.25 .*2024-01-02.* é€𝄞/);
      } else {
        t.same(result.rows, [expected]);
      }
    });

    t.test('reads an empty result and several batches', async (t) => {
      const { steps } = await client.run(
        job({ action: 'query', sql: 'SELECT 1 AS a WHERE false' }, { action: 'query', sql: 'SELECT * FROM range(100000)', limit: 1 }),
      );
      t.match(
        steps,
        [
          { ok: true, rowCount: 0 },
          { ok: true, rowCount: 100_000 },
        ],
        JSON.stringify(steps),
      );
    });

    const bindsParameters = async (t: Test): Promise<void> => {
      const { steps } = await client.run(
        job(
          { action: 'query', sql: 'SELECT ?::BIGINT + 1 AS a, ?::VARCHAR AS b', parameters: [41, 'x'] },
          { action: 'query', sql: 'SELECT ?::INTEGER IS NULL AS a', parameters: [null] },
          { action: 'query', sql: 'SELECT name FROM gate WHERE id = ?', parameters: [2] },
        ),
      );
      t.same(
        steps.map((step) => step.rows ?? step.error),
        [[['42', 'x']], [['true']], [['A2']]],
      );
    };
    // The shell has no parameters.
    if (!isShell) {
      t.test('binds parameters', bindsParameters);
    }

    t.test('DDL and DML run exactly once, by every path', async (t) => {
      const { steps } = await client.run(
        job(
          { action: isShell ? 'query' : 'update', sql: `CREATE TABLE ${table} (id BIGINT)` },
          { action: isShell ? 'query' : 'update', sql: `INSERT INTO ${table} SELECT * FROM range(10)` },
          { action: 'query', sql: `SELECT count(*) FROM ${table}` },
        ),
      );
      t.equal(steps[0]?.ok, true, JSON.stringify(steps[0]));
      t.equal(steps[1]?.ok, true, JSON.stringify(steps[1]));
      if (!isShell) {
        t.equal(steps[1]?.updated, 10);
      }
      t.equal(value(steps[2]), '10');
    });

    const insertsByQuery = async (t: Test): Promise<void> => {
      const { steps } = await client.run(
        job(
          { action: 'query', sql: `INSERT INTO ${table} VALUES (100)` },
          { action: 'query', sql: `INSERT INTO ${table} VALUES (101)`, read: 'none' },
          { action: 'query', sql: `INSERT INTO ${table} VALUES (102), (103) RETURNING id` },
          { action: 'query', sql: `SELECT count(*) FROM ${table} WHERE id >= 100` },
        ),
      );
      t.same(
        steps.map((step) => step.ok),
        [true, true, true, true],
        JSON.stringify(steps),
      );
      t.same(steps[2]?.rows, [['102'], ['103']]);
      t.equal(value(steps[3]), '4');
    };
    // The shell has one path only, and JDBC's driver sends what answers no rows by the update path itself.
    if (!isShell && name !== 'jdbc') {
      t.test('an INSERT through the query path counts once, whether its result is read or not', insertsByQuery);
    }

    t.test('says what was wrong by a status code', async (t) => {
      const { steps } = await client.run(
        job(
          { action: 'query', sql: 'SELEC 1' },
          { action: 'query', sql: 'SELECT * FROM no_such_table' },
          { action: 'query', sql: `CREATE TABLE ${table} (i INT)` },
        ),
      );
      t.same(
        steps.map((step) => step.ok),
        [false, false, false],
      );
      t.match(steps[0]?.error?.message, /syntax error/i);
      t.match(steps[1]?.error?.message, /no_such_table/);
      if (!isShell) {
        t.same(
          steps.map((step) => step.error?.code),
          ['invalid_argument', 'not_found', 'already_exists'],
          JSON.stringify(steps),
        );
      }
    });

    t.test('refuses a wrong password and no password', async (t) => {
      const wrong = only(
        await client.run({ ...mesh.login(), password: 'not-the-password', steps: [{ action: 'query', sql: 'SELECT 1' }] }),
      );
      t.equal(wrong.ok, false);
      t.match(wrong.error?.message, /password|credential|sign/i);
      const { uri, caFile } = mesh.login();
      const nobody = only(await client.run({ uri, caFile, steps: [{ action: 'query', sql: 'SELECT 1' }] }));
      t.equal(nobody.ok, false);
      if (!isShell) {
        t.same([wrong.error?.code, nobody.error?.code], ['unauthenticated', 'unauthenticated'], JSON.stringify([wrong, nobody]));
      }
    });
  });
}

t.test('ADBC with its defaults: each commit begins the next transaction', { skip: skipClient('adbc') }, async (t) => {
  const client = await startClient(t, 'adbc');
  const insert = (id: number): Step => ({ action: 'update', sql: `INSERT INTO kept VALUES (${id})` });
  const { steps } = await client.run({
    ...mesh.login(),
    autocommit: false,
    steps: [
      { action: 'update', sql: 'CREATE TABLE kept (id BIGINT)' },
      { action: 'commit' },
      insert(1),
      { action: 'rollback' },
      insert(2),
      { action: 'query', sql: 'SELECT id FROM kept' },
      { action: 'commit' },
      insert(3),
    ],
  });
  t.same(
    steps.map(({ error }) => error),
    steps.map(() => undefined),
  );
  t.same(steps[5]?.rows, [['2']], 'a transaction sees its own changes');
  const after = only(await client.run(job({ action: 'query', sql: 'SELECT id FROM kept' })));
  t.same(after.rows, [['2']], 'what was committed is there, and nothing else');
});

t.test('adbc_ingest: create, append, replace, and in a transaction', { skip: skipClient('adbc') }, async (t) => {
  const client = await startClient(t, 'adbc');
  const ingest = (mode: string, firstId: number, rows: number): Step => ({
    action: 'ingest',
    table: 'loaded',
    mode,
    firstId,
    rows,
    batchRows: 50_000,
  });
  const sums: Step = { action: 'query', sql: 'SELECT count(*), sum(id), count(name), sum(ratio) FROM loaded' };
  const { steps } = await client.run(job(ingest('create', 1, 120_000), sums, ingest('append', 120_001, 10), sums, ingest('create', 1, 1)));
  t.equal(steps[0]?.updated, 120_000, JSON.stringify(steps[0]));
  t.same(steps[1]?.rows, [['120000', '7200060000', '102858', '900007500.0']]);
  t.same(steps[3]?.rows?.[0]?.[0], '120010');
  t.equal(steps[4]?.error?.code, 'already_exists', JSON.stringify(steps[4]));
  const inTransaction = await client.run({
    ...mesh.login(),
    autocommit: false,
    steps: [ingest('replace', 1, 5), sums, { action: 'rollback' }, ingest('append', 120_011, 5), { action: 'commit' }],
  });
  t.same(inTransaction.steps[1]?.rows?.[0]?.[0], '5', JSON.stringify(inTransaction.steps));
  t.same(only(await client.run(job(sums))).rows?.[0]?.[0], '120015');
});

t.test("arrow-go's transactions", { skip: skipClient('go') }, async (t) => {
  const client = await startClient(t, 'go');
  const insert = (id: number, ending: string): Step => ({
    action: 'transaction',
    statements: [`INSERT INTO by_go VALUES (${id})`, `INSERT INTO by_go VALUES (${id})`],
    ending,
  });
  const { steps } = await client.run(
    job({ action: 'update', sql: 'CREATE TABLE by_go (id BIGINT)' }, insert(1, 'commit'), insert(2, 'rollback'), {
      action: 'query',
      sql: 'SELECT id FROM by_go',
    }),
  );
  t.equal(steps[1]?.updated, 2, JSON.stringify(steps[1]));
  t.equal(steps[2]?.ok, true, JSON.stringify(steps[2]));
  t.same(steps[3]?.rows, [['1'], ['1']], JSON.stringify(steps[3]));
});

t.test('executemany and batches bind row by row', async (t) => {
  for (const name of ['adbc', 'jdbc'] as const) {
    t.test(name, { skip: skipClient(name) }, async (t) => {
      const client = await startClient(t, name);
      const { steps } = await client.run(
        job(
          { action: 'update', sql: `CREATE TABLE many_by_${name} (id BIGINT, name VARCHAR)` },
          {
            action: 'executemany',
            sql: `INSERT INTO many_by_${name} VALUES (?, ?)`,
            parameters: [
              [1, 'a'],
              [2, null],
              [3, 'c'],
            ],
          },
          { action: 'query', sql: `SELECT * FROM many_by_${name} ORDER BY id` },
        ),
      );
      t.equal(steps[1]?.ok, true, JSON.stringify(steps[1]?.error));
      t.same(
        steps[2]?.rows,
        [
          ['1', 'a'],
          ['2', null],
          ['3', 'c'],
        ],
        JSON.stringify(steps[2]),
      );
    });
  }
});
