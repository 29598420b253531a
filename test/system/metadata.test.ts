import t from 'tap';
import { skipClient, startClient } from '../harness/client.ts';
import { type Job, type Outcome, only, type Step } from '../harness/job.ts';
import { startMesh } from '../harness/mesh.ts';
import { smallSource } from '../harness/source.ts';

t.setTimeout(180_000);

const mesh = await startMesh(t, { source: await smallSource(t) });

const job = (...steps: readonly Step[]): Job => ({ ...mesh.login(), steps });
const column = (outcome: Outcome | undefined, name: string): readonly (string | null)[] => {
  const at = outcome?.columns?.findIndex((found) => found.name === name) ?? -1;
  return outcome?.rows?.map((row) => row[at] ?? null) ?? [];
};

const COMMANDS = ['catalogs', 'schemas', 'tables', 'tableTypes', 'sqlInfo', 'typeInfo', 'primaryKeys', 'exportedKeys', 'importedKeys'];

// Flight SQL's own codes, all of which JDBC reads whether it needs them or not.
const SERVER_CODES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 100, 101];
const SQL_CODES = Array.from({ length: 77 }, (_, index) => 500 + index);

t.test('raw Flight', { skip: skipClient('flight') }, async (t) => {
  const client = await startClient(t, 'flight');
  const ask = async (command: string, fields: object = {}): Promise<Outcome> =>
    only(await client.run(job({ action: 'metadata', command, limit: 10_000, ...fields })));

  t.test('every metadata command answers one endpoint with the schema it promised', async (t) => {
    const { steps } = await client.run(job(...COMMANDS.map((command) => ({ action: 'metadata', command, table: 'gate' }))));
    for (const [index, step] of steps.entries()) {
      t.match(step, { ok: true, endpoints: 1 }, `${COMMANDS[index]}: ${JSON.stringify(step.error)}`);
    }
  });

  t.test('column names and nullability are those of the specification', async (t) => {
    const shape = async (command: string, fields: object = {}): Promise<unknown> =>
      (await ask(command, { table: 'gate', ...fields })).columns?.map(
        ({ name, type, nullable }) => `${name} ${type}${nullable === true ? '' : ' not null'}`,
      );
    t.same(await shape('catalogs'), ['catalog_name string not null']);
    t.same(await shape('schemas'), ['catalog_name string', 'db_schema_name string not null']);
    t.same(await shape('tableTypes'), ['table_type string not null']);
    const tables = ['catalog_name string', 'db_schema_name string', 'table_name string not null', 'table_type string not null'];
    t.same(await shape('tables'), tables);
    t.same(await shape('tables', { includeSchema: true }), [...tables, 'table_schema binary not null']);
    t.same(await shape('primaryKeys'), [
      'catalog_name string',
      'db_schema_name string',
      'table_name string not null',
      'column_name string not null',
      'key_name string',
      'key_sequence int32 not null',
    ]);
  });

  t.test('filters: patterns, types and their alias, a catalog that is not there', async (t) => {
    t.same(column(await ask('tables', { table: 'ga%' }), 'table_name'), ['gate']);
    t.same(column(await ask('tables', { table: 'g_te' }), 'table_name'), ['gate']);
    t.same(column(await ask('tables', { table: 'nothing%' }), 'table_name'), []);
    t.same(column(await ask('tables', { table: 'gate', catalog: 'nowhere' }), 'table_name'), []);
    const made = only(await client.run(job({ action: 'update', sql: 'CREATE TABLE apron (id BIGINT)' })));
    t.equal(made.ok, true, JSON.stringify(made.error));
    t.same(column(await ask('tables', { table: 'apron', tableTypes: ['TABLE'] }), 'table_name'), ['apron']);
    t.same(column(await ask('tables', { table: 'apron', tableTypes: ['BASE TABLE'] }), 'table_name'), ['apron']);
    t.same(column(await ask('tables', { table: 'apron', tableTypes: ['VIEW'] }), 'table_name'), []);
    const types = column(await ask('tableTypes'), 'table_type');
    t.ok(types.includes('TABLE') && types.includes('VIEW'), types.join());
  });

  t.test('GetSqlInfo answers every code, together and one by one', async (t) => {
    const all = column(await ask('sqlInfo'), 'info_name').map(Number);
    t.same(
      [...SERVER_CODES, ...SQL_CODES].filter((code) => !all.includes(code)),
      [],
      'codes that are missing',
    );
    t.equal(new Set(all).size, all.length, 'no code twice');
    for (const code of [0, 8, 500, 508, 541, 576]) {
      t.same(column(await ask('sqlInfo', { codes: [code] }), 'info_name'), [String(code)]);
    }
  });

  t.test('CloseSession twice and unknown actions are answered', async (t) => {
    const { steps } = await client.run(
      job(
        { action: 'action', type: 'CloseSession' },
        { action: 'action', type: 'CloseSession' },
        { action: 'action', type: 'NoSuchAction' },
      ),
    );
    t.equal(steps[0]?.ok, true, JSON.stringify(steps[0]));
    t.not(steps[1]?.error?.code, 'unknown');
    t.ok(['unimplemented', 'unauthenticated'].includes(steps[2]?.error?.code ?? ''), JSON.stringify(steps[2]));
  });
});

t.test('ADBC browses catalogs, schemas, tables and columns', { skip: skipClient('adbc') }, async (t) => {
  const client = await startClient(t, 'adbc');
  const { steps } = await client.run(
    job({ action: 'metadata', table_name_filter: 'gate' }, { action: 'tableSchema', table: 'gate' }, { action: 'serverFacts' }),
  );
  const [browsed, described, facts] = steps as unknown as [
    { tables: { name: string[]; columns: [string, number, string][] }[]; catalogs: string[]; tableTypes: string[] },
    Outcome,
    Outcome,
  ];
  t.match(steps, [{ ok: true }, { ok: true }, { ok: true }], JSON.stringify(steps.map((step) => step.error)));
  const [gate] = browsed.tables ?? [];
  t.equal(gate?.name[2], 'gate');
  t.same(
    gate?.columns.map(([name, position]) => [name, position]),
    [
      ['id', 1],
      ['name', 2],
    ],
  );
  t.same(
    described.columns?.map(({ name, type }) => [name, type]),
    [
      ['id', 'int64'],
      ['name', 'string'],
    ],
  );
  t.ok(browsed.tableTypes?.includes('TABLE'));
  t.match(facts.facts, { vendor_name: /jetbridge/i });
});

t.test('JDBC browses, and no getter of DatabaseMetaData throws', { skip: skipClient('jdbc') }, async (t) => {
  const client = await startClient(t, 'jdbc');
  const { steps } = await client.run(job({ action: 'metadata' }, { action: 'getters' }));
  const [browsed, getters] = steps;
  t.equal(browsed?.ok, true, JSON.stringify(browsed?.error));
  const tables = browsed?.tables as readonly (readonly string[])[];
  t.ok(
    tables.some((row) => row[2] === 'gate'),
    'the view is listed',
  );
  const columns = browsed?.columns as unknown as readonly (readonly string[])[];
  t.same(
    columns.filter((row) => row[2] === 'gate').map((row) => row[3]),
    ['id', 'name'],
  );
  t.equal(getters?.ok, true, JSON.stringify(getters?.error));
  // What the driver itself does not implement fails with its own words against every server.
  const failures = ((getters?.failures ?? []) as readonly string[]).filter(
    (failure) => !/UnsupportedOperation|FeatureNotSupported/.test(failure),
  );
  t.same(failures, []);
});

t.test('arrow-go browses', { skip: skipClient('go') }, async (t) => {
  const client = await startClient(t, 'go');
  const result = only(await client.run(job({ action: 'metadata' })));
  t.equal(result.ok, true, JSON.stringify(result.error));
  t.ok(column(result.tables as Outcome, 'table_name').includes('gate'));
});
