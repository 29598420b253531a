import { once } from 'node:events';
import { encodeFlightDescriptor } from '@jetbridge/proto/flight';
import { decodeGetSessionOptionsResult, decodeSetSessionOptionsResult } from '@jetbridge/proto/flight-session';
import { decodeDoPutUpdateResult } from '@jetbridge/proto/flight-sql-result';
import { ENGINE_MICROS_TRAILER, ROWS_TRAILER } from '@jetbridge/proto/headers';
import { newId } from '@jetbridge/proto/ids';
import { Table as ArrowTable, Int64, Utf8, vectorFromArray } from 'apache-arrow';
import t, { type Test } from 'tap';
import { FlightWorker, plainRows, schemaOf, ticketOf } from '../testing/flight-worker.ts';

async function open(t: Test, nowMs?: () => number): Promise<FlightWorker> {
  const worker = await FlightWorker.open({ directory: t.testdir(), ...(nowMs === undefined ? {} : { nowMs }) });
  t.teardown(() => worker.close());
  return worker;
}

const count = (buffer: Buffer): number => decodeDoPutUpdateResult(buffer);

t.test('a query streams its rows, and the trailers count them', async (t) => {
  const client = (await open(t)).client();
  const flightInfo = await client.info({ kind: 'statement_query', query: 'SELECT i, i::VARCHAR AS s FROM range(100000) t(i)' });
  const { trailers } = await client.fetchRaw(flightInfo);
  t.equal(trailers['grpc-status'], '0');
  t.equal(trailers[ROWS_TRAILER], '100000');
  t.ok(Number(trailers[ENGINE_MICROS_TRAILER]) > 0);
  t.same(await client.query('SELECT 42::INTEGER AS answer'), [{ answer: 42 }]);
});

t.test('the schema of FlightInfo is that of DoGet', async (t) => {
  const client = (await open(t)).client();
  const flightInfo = await client.info({ kind: 'statement_query', query: 'SELECT 1::DECIMAL(10,2) AS d, [1] AS l' });
  const table = await client.fetch(flightInfo);
  t.equal(schemaOf(flightInfo.schema).toString(), table.schema.toString());
});

t.test('mistakes in the text are known at GetFlightInfo', async (t) => {
  const client = (await open(t)).client();
  await t.rejects(client.query('SELEC 1'), { code: 'invalid_argument' });
  await t.rejects(client.query('SELECT 1; SELECT 2'), { code: 'invalid_argument' });
  await t.rejects(client.query('SELECT * FROM nowhere'), { code: 'not_found' });
  await t.rejects(client.query(`COPY (SELECT 1) TO '/tmp/x.csv'`), { code: 'permission_denied' });
  await t.rejects(client.query(`SELECT * FROM read_text('/etc/hostname')`), { code: 'permission_denied' });
});

t.test('a failure in mid-stream is a failure', async (t) => {
  const client = (await open(t)).client();
  const query = `SELECT CASE WHEN i = 1500000 THEN error('boom') ELSE i::VARCHAR END AS v FROM range(2000000) t(i)`;
  await t.rejects(client.query(query), { message: /boom/ });
  t.same(await client.query('SELECT 1::INTEGER AS a'), [{ a: 1 }]);
});

t.test('what changes something runs exactly once, at GetFlightInfo', async (t) => {
  const client = (await open(t)).client();
  await client.info({ kind: 'statement_query', query: 'CREATE TABLE t (i INTEGER)' });
  const flightInfo = await client.info({ kind: 'statement_query', query: 'INSERT INTO t VALUES (1), (2)' });
  t.equal(flightInfo.totalRecords, 2);
  t.equal((await client.fetch(flightInfo)).schema.fields.length, 0);
  await client.fetch(flightInfo);
  t.same(await client.query('SELECT count(*)::INTEGER AS n FROM t'), [{ n: 2 }]);
  const returning = await client.info({ kind: 'statement_query', query: 'INSERT INTO t VALUES (3) RETURNING i' });
  t.same(plainRows(await client.fetch(returning)), [{ i: 3 }]);
  t.same(plainRows(await client.fetch(returning)), [{ i: 3 }], 'a stored result can be read twice');
  t.same(await client.query('SELECT count(*)::INTEGER AS n FROM t'), [{ n: 3 }]);
});

t.test('updates by DoPut answer the count', async (t) => {
  const client = (await open(t)).client();
  t.equal(count(await client.put({ kind: 'statement_update', query: 'CREATE TABLE t AS SELECT * FROM range(5) r(i)' })), 0);
  t.equal(count(await client.put({ kind: 'statement_update', query: 'DELETE FROM t WHERE i > 2' })), 2);
  await t.rejects(client.put({ kind: 'statement_update', query: 'SELECT 1' }), { code: 'invalid_argument' });
});

t.test('prepared statements: schemas, parameters, many rows at once', async (t) => {
  const client = (await open(t)).client();
  await client.put({ kind: 'statement_update', query: 'CREATE TABLE t (i BIGINT PRIMARY KEY, s VARCHAR)' });
  const insert = await client.prepare('INSERT INTO t VALUES (?, ?)');
  t.equal(insert.isUpdate, true);
  t.equal(schemaOf(insert.datasetSchema).fields.length, 0);
  t.same(
    schemaOf(insert.parameterSchema).fields.map(({ type }) => String(type)),
    ['Int64', 'Utf8'],
  );
  const rows = new ArrowTable({ i: vectorFromArray([1n, 2n, 3n], new Int64()), s: vectorFromArray(['a', null, 'c'], new Utf8()) });
  t.equal(count(await client.put({ kind: 'prepared_statement_update', handle: insert.handle }, rows)), 3);
  t.same(await client.query('SELECT s FROM t ORDER BY i'), [{ s: 'a' }, { s: null }, { s: 'c' }]);
  const again = new ArrowTable({ i: vectorFromArray([9n, 1n], new Int64()), s: vectorFromArray(['x', 'y'], new Utf8()) });
  await t.rejects(client.put({ kind: 'prepared_statement_update', handle: insert.handle }, again), { code: 'already_exists' });
  t.same(await client.query('SELECT count(*)::INTEGER AS n FROM t'), [{ n: 3 }], 'all rows or none');

  const select = await client.prepare('SELECT s FROM t WHERE i = ?');
  t.equal(select.isUpdate, false);
  t.same(schemaOf(select.datasetSchema).names, ['s']);
  const command = { kind: 'prepared_statement_query', handle: select.handle } as const;
  await t.rejects(client.info(command), { code: 'invalid_argument' });
  await client.put(command, new ArrowTable({ p: vectorFromArray([3n], new Int64()) }));
  t.same(plainRows(await client.fetch(await client.info(command))), [{ s: 'c' }]);
  await client.put(command, new ArrowTable({ p: vectorFromArray([1n], new Int64()) }));
  t.same(plainRows(await client.fetch(await client.info(command))), [{ s: 'a' }], 'bound again');
  await client.action({ kind: 'close_prepared_statement', handle: select.handle });
  await client.action({ kind: 'close_prepared_statement', handle: select.handle });
  await t.rejects(client.info(command), { code: 'not_found' });
});

t.test('a result whose types only the bound values decide is described as it is sent', async (t) => {
  const client = (await open(t)).client();
  const { handle } = await client.prepare('SELECT ? AS x, 1::INTEGER AS y');
  const command = { kind: 'prepared_statement_query', handle } as const;
  await client.put(command, new ArrowTable({ p: vectorFromArray([5n], new Int64()) }));
  const flightInfo = await client.info(command);
  const table = await client.fetch(flightInfo);
  t.same(plainRows(table), [{ x: 5n, y: 1 }]);
  t.equal(schemaOf(flightInfo.schema).toString(), table.schema.toString());
});

t.test('transactions and temporary tables live in their session only', async (t) => {
  const worker = await open(t);
  const [one, two] = [worker.client(), worker.client()];
  await one.query('CREATE TABLE t (i INTEGER)');
  await one.query('BEGIN');
  await one.query('INSERT INTO t VALUES (1)');
  t.same(await one.query('SELECT i FROM t'), [{ i: 1 }]);
  t.same(await two.query('SELECT i FROM t'), []);
  await one.query('ROLLBACK');
  t.same(await one.query('SELECT i FROM t'), []);
  await one.query('CREATE TEMP TABLE own (i INTEGER)');
  await one.query('INSERT INTO own VALUES (7)');
  t.same(await one.query('SELECT i FROM own'), [{ i: 7 }]);
  await t.rejects(two.query('SELECT i FROM own'), { code: 'not_found' });
  await one.action({ kind: 'close_session' });
  await one.action({ kind: 'close_session' });
  await t.rejects(one.query('SELECT i FROM own'), { code: 'not_found' });
});

t.test('two results of one session are read side by side', async (t) => {
  const client = (await open(t)).client();
  const query = 'SELECT i FROM range(400000) t(i)';
  const stalled = client.startFetch(await client.info({ kind: 'statement_query', query }));
  await once(stalled, 'response');
  t.equal((await client.fetch(await client.info({ kind: 'statement_query', query }))).numRows, 400_000);
  await client.query('CREATE TABLE beside (i INTEGER)');
  stalled.close(8);
});

t.test('a reset stream stops the engine, and the session goes on at once', async (t) => {
  const worker = await open(t);
  const client = worker.client();
  const flightInfo = await client.info({
    kind: 'statement_query',
    query: 'SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b',
  });
  const stream = client.startFetch(flightInfo);
  const running = new Promise<void>((resolve) => {
    const look = (): void => void (worker.context.statements.running === 1 ? resolve() : setImmediate(look));
    look();
  });
  await running;
  const startedMs = performance.now();
  stream.on('error', () => undefined);
  stream.close(8);
  t.same(await client.query('SELECT 1::INTEGER AS a'), [{ a: 1 }]);
  const stopped = new Promise<void>((resolve) => {
    const look = (): void => void (worker.context.statements.running === 0 ? resolve() : setImmediate(look));
    look();
  });
  await stopped;
  t.ok(performance.now() - startedMs < 2000, 'well before the query could end');
});

t.test('CancelFlightInfo stops the statement of the same principal only', async (t) => {
  const worker = await open(t);
  const client = worker.client();
  const flightInfo = await client.info({
    kind: 'statement_query',
    query: 'SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b',
  });
  const answer = client.fetchRaw(flightInfo);
  answer.catch(() => undefined);
  await t.rejects(worker.client().action({ kind: 'cancel_flight_info', flightInfo: flightInfo }), { code: 'not_found' });
  await client.action({ kind: 'cancel_flight_info', flightInfo: flightInfo });
  await t.rejects(answer, { code: 'cancelled' });
});

t.test('handles are for their principal and their time', async (t) => {
  let nowMs = 1_000_000;
  const worker = await open(t, () => nowMs);
  const principal = newId('prn');
  const client = worker.client(principal);
  const flightInfo = await client.info({ kind: 'statement_query', query: 'SELECT 1 AS a' });
  await t.rejects(worker.client().fetch(flightInfo), { code: 'not_found', message: /another principal/ });
  t.equal((await worker.client(principal).fetch(flightInfo)).numRows, 1, 'another session of the same principal');
  nowMs += 11 * 60_000;
  await t.rejects(client.fetch(flightInfo), { code: 'not_found', message: /expired/ });
  const forged = {
    ...flightInfo,
    endpoint: [{ ticket: { ticket: Buffer.concat([ticketOf(flightInfo).subarray(0, -1), Buffer.of(0)]) }, location: [] }],
  };
  await t.rejects(client.fetch(forged), { code: 'not_found', message: /restarted/ });
});

t.test('session options: unknown keys are per-key errors, catalog and schema hold', async (t) => {
  const client = (await open(t)).client();
  await client.query('CREATE SCHEMA lake');
  await client.query('CREATE TABLE lake.t AS SELECT 5::INTEGER AS i');
  const set = async (name: string, value: string) => {
    const body = await client.action({ kind: 'set_session_options', options: new Map([[name, { kind: 'string', value }]]) });
    return decodeSetSessionOptionsResult(body ?? Buffer.alloc(0));
  };
  t.same([...(await set('colour', 'red'))], [['colour', 'invalid_name']]);
  t.same([...(await set('schema', 'nowhere'))], [['schema', 'invalid_value']]);
  t.same([...(await set('schema', 'lake'))], []);
  t.same(await client.query('SELECT i FROM t'), [{ i: 5 }]);
  const options = decodeGetSessionOptionsResult((await client.action({ kind: 'get_session_options' })) ?? Buffer.alloc(0));
  t.same(options.get('schema'), { kind: 'string', value: 'lake' });
  await client.query('USE files.main');
  await t.rejects(client.query('SELECT i FROM t'), { code: 'not_found' });
});

t.test('location headers move the session once, so that USE outlives them', async (t) => {
  const client = (await open(t)).client().with({ schema: 'lake' });
  await t.rejects(client.query('SELECT 1'), { code: 'not_found' });
  await client.with({ schema: '' }).query('CREATE SCHEMA lake');
  t.same(await client.query('SELECT current_schema() AS s'), [{ s: 'lake' }]);
  await client.query('USE files.main');
  t.same(await client.query('SELECT current_schema() AS s'), [{ s: 'main' }]);
});

t.test('metadata', async (t) => {
  const client = (await open(t)).client();
  await client.query('CREATE TABLE parent (a INTEGER, b INTEGER, PRIMARY KEY (a, b))');
  await client.query(
    `CREATE TABLE child (x INTEGER NOT NULL, y INTEGER, m ENUM('p', 'q'), d DECIMAL(10, 2), FOREIGN KEY (x, y) REFERENCES parent (a, b))`,
  );
  await client.query('CREATE VIEW v AS SELECT 1 AS one');
  t.same(plainRows(await client.metadata({ kind: 'get_catalogs' })), [{ catalog_name: 'files' }]);
  t.same(plainRows(await client.metadata({ kind: 'get_db_schemas', catalog: 'FILES' })), [
    { catalog_name: 'files', db_schema_name: 'main' },
  ]);
  t.same(plainRows(await client.metadata({ kind: 'get_table_types' })), [{ table_type: 'TABLE' }, { table_type: 'VIEW' }]);
  const tables = await client.metadata({
    kind: 'get_tables',
    tableTypes: ['BASE TABLE'],
    includeSchema: true,
    tableNameFilterPattern: 'c%',
  });
  const [child] = plainRows(tables);
  t.match(child, { catalog_name: 'files', db_schema_name: 'main', table_name: 'child', table_type: 'TABLE' });
  const { fields } = schemaOf(Buffer.from(child?.table_schema as Uint8Array));
  t.same(
    fields.map(({ name, type, nullable }) => [name, String(type), nullable]),
    [
      ['x', 'Int32', false],
      ['y', 'Int32', true],
      ['m', 'Utf8', true],
      ['d', 'Decimal[10e+2]', true],
    ],
  );
  t.equal(fields[3]?.metadata.get('ARROW:FLIGHT:SQL:TYPE_NAME'), 'DECIMAL(10,2)');
  t.equal((await client.metadata({ kind: 'get_tables', tableTypes: ['VIEW'], includeSchema: false })).numRows, 1);
  t.same(
    plainRows(await client.metadata({ kind: 'get_primary_keys', table: 'parent' })).map((row) => [row.column_name, row.key_sequence]),
    [
      ['a', 1],
      ['b', 2],
    ],
  );
  for (const kind of ['get_imported_keys', 'get_exported_keys'] as const) {
    const keys = plainRows(await client.metadata({ kind, table: kind === 'get_imported_keys' ? 'child' : 'parent' }));
    t.same(
      keys.map((row) => [row.pk_column_name, row.fk_column_name]),
      [
        ['a', 'x'],
        ['b', 'y'],
      ],
      kind,
    );
  }
  t.equal((await client.metadata({ kind: 'get_cross_reference', pkTable: 'parent', fkTable: 'child' })).numRows, 2);
  t.equal((await client.metadata({ kind: 'get_xdbc_type_info' })).numRows, 0);
  t.equal((await client.metadata({ kind: 'get_sql_info', info: [0, 576] })).numRows, 2);
  t.equal((await client.metadata({ kind: 'get_sql_info', info: [] })).numRows, 91);
});

t.test('what is not supported says so', async (t) => {
  const client = (await open(t)).client();
  const transactionId = Buffer.from('any');
  await t.rejects(client.action({ kind: 'begin_savepoint', transactionId, name: 'a' }), { code: 'unimplemented', message: /savepoint/ });
  await t.rejects(client.info({ kind: 'statement_substrait_plan', plan: Buffer.alloc(0), version: '' }), { code: 'unimplemented' });
  await t.rejects(client.call('DoExchange', []), { code: 'unimplemented' });
  await t.rejects(client.call('DoAction', []), { code: 'invalid_argument' });
  await t.rejects(client.call('GetFlightInfo', [encodeFlightDescriptor({ type: 'PATH', cmd: Buffer.alloc(0), path: ['a'] })]), {
    code: 'invalid_argument',
  });
  t.ok((await client.call('ListActions', [Buffer.alloc(0)])).messages.length > 0);
  await t.rejects(client.with({ 'x-jetbridge-principal': 'nobody' }).query('SELECT 1'), { code: 'unauthenticated' });
});
