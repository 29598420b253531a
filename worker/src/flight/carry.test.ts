import { decodeFlightInfo, encodeFlightDescriptor } from '@jetbridge/proto/flight';
import { encodeCommand } from '@jetbridge/proto/flight-sql';
import { CARRIED_TRAILER, CARRY_HEADER, ENGINE_MICROS_TRAILER, ROWS_TRAILER } from '@jetbridge/proto/headers';
import { Table as ArrowTable, Int64, vectorFromArray } from 'apache-arrow';
import t, { type Test } from 'tap';
import type { HeadStartLimits } from '../query/head-starts.ts';
import { type FlightClient, FlightWorker, plainRows } from '../testing/flight-worker.ts';
import type { GrpcAnswer } from '../testing/grpc-client.ts';

const TAKES = { [CARRY_HEADER]: '65536' };
const ENDLESS = 'SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b';
const LARGE = 'SELECT i FROM range(3000000) t(i)';

async function open(t: Test, headStarts: Partial<HeadStartLimits> = {}): Promise<FlightWorker> {
  const worker = await FlightWorker.open({ directory: t.testdir(), headStarts });
  t.teardown(() => worker.close());
  return worker;
}

type Command = Parameters<FlightClient['info']>[0];

function describe(client: FlightClient, command: Command): Promise<GrpcAnswer> {
  const descriptor = encodeFlightDescriptor({ type: 'CMD', cmd: encodeCommand(command), path: [] });
  return client.with(TAKES).call('GetFlightInfo', [descriptor]);
}

function query(client: FlightClient, sql: string): Promise<GrpcAnswer> {
  return describe(client, { kind: 'statement_query', query: sql });
}

/** What a DoGet with the ticket of this answer sends. */
async function fetched(client: FlightClient, { messages }: GrpcAnswer): Promise<GrpcAnswer> {
  return client.fetchRaw(decodeFlightInfo(messages[0] ?? Buffer.alloc(0)));
}

function eventually(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => void (condition() ? resolve() : setImmediate(look));
    look();
  });
}

t.test('a small result follows its FlightInfo, message by message what DoGet sends', async (t) => {
  const worker = await open(t);
  const client = worker.client();
  const described = await query(client, `SELECT i, 'name ' || i AS s FROM range(100) t(i)`);
  t.equal(described.trailers[CARRIED_TRAILER], 'complete');
  t.equal(described.trailers[ROWS_TRAILER], '100');
  t.ok(Number(described.trailers[ENGINE_MICROS_TRAILER]) > 0);
  t.same(described.messages.slice(1), (await fetched(client, described)).messages);
  t.same([worker.context.headStarts.size, worker.context.statements.running], [0, 0]);
  const unasked = await client.call('GetFlightInfo', [
    encodeFlightDescriptor({ type: 'CMD', cmd: encodeCommand({ kind: 'statement_query', query: 'SELECT 1' }), path: [] }),
  ]);
  t.equal(unasked.messages.length, 1, 'only for a gateway that takes it');
  t.equal(unasked.trailers[CARRIED_TRAILER], undefined);
});

t.test('bound values ride, too', async (t) => {
  const client = (await open(t)).client();
  await client.query('CREATE TABLE t AS SELECT i FROM range(10) t(i)');
  const { handle } = await client.prepare('SELECT i FROM t WHERE i >= ?');
  const command = { kind: 'prepared_statement_query', handle } as const;
  await client.put(command, new ArrowTable({ p: vectorFromArray([7n], new Int64()) }));
  const described = await describe(client, command);
  t.same([described.trailers[CARRIED_TRAILER], described.trailers[ROWS_TRAILER]], ['complete', '3']);
});

t.test('what an effect has answered rides; it still runs once', async (t) => {
  const client = (await open(t)).client();
  await client.query('CREATE TABLE t (i INTEGER)');
  const described = await query(client, 'INSERT INTO t VALUES (1), (2) RETURNING i');
  t.same([described.trailers[CARRIED_TRAILER], described.trailers[ROWS_TRAILER]], ['complete', '2']);
  t.same(described.messages.slice(1), (await fetched(client, described)).messages);
  t.same(await client.query('SELECT count(*)::INTEGER AS n FROM t'), [{ n: 2 }]);
});

t.test('quick metadata rides; what can be long does not', async (t) => {
  const client = (await open(t)).client();
  for (const command of [{ kind: 'get_sql_info', info: [] }, { kind: 'get_catalogs' }, { kind: 'get_table_types' }] as const) {
    const described = await describe(client, command);
    t.equal(described.trailers[CARRIED_TRAILER], 'complete', command.kind);
    t.same(described.messages.slice(1), (await fetched(client, described)).messages);
  }
  const tables = await describe(client, { kind: 'get_tables', tableTypes: [], includeSchema: true });
  t.same([tables.trailers[CARRIED_TRAILER], tables.messages.length], ['none', 1]);
});

t.test('a large result goes on where it stood when it is fetched, and is run again for a second reader', async (t) => {
  const worker = await open(t);
  const client = worker.client();
  const described = await query(client, LARGE);
  t.equal(described.trailers[CARRIED_TRAILER], 'none');
  t.equal(described.messages.length, 1);
  t.same([worker.context.headStarts.size, worker.context.statements.running], [1, 1], 'it stands still');
  const first = await fetched(client, described);
  t.equal(first.trailers[ROWS_TRAILER], '3000000');
  t.same([worker.context.headStarts.size, worker.context.statements.running], [0, 0]);
  t.equal((await fetched(client, described)).trailers[ROWS_TRAILER], '3000000');
});

t.test('a result that is late for its FlightInfo is kept for its DoGet', async (t) => {
  const worker = await open(t, { waitMs: 1 });
  const client = worker.client();
  const described = await query(client, 'SELECT count(*) AS n FROM range(100000000) a(i) WHERE i % 7 = 3');
  t.equal(described.trailers[CARRIED_TRAILER], 'none');
  await eventually(() => worker.context.statements.running === 0);
  t.equal(worker.context.headStarts.size, 1);
  t.equal((await fetched(client, described)).trailers[ROWS_TRAILER], '1');
  t.equal(worker.context.headStarts.size, 0);
});

t.test('a query that nobody fetches ends soon, and its ticket is still good', async (t) => {
  const worker = await open(t, { ttlMs: 1 });
  const client = worker.client();
  const described = await query(client, LARGE);
  await eventually(() => worker.context.statements.running === 0);
  t.equal(worker.context.headStarts.size, 0);
  t.equal((await fetched(client, described)).trailers[ROWS_TRAILER], '3000000');
});

t.test('nothing begins out of turn', async (t) => {
  await t.test('in a session with state of its own', async (t) => {
    const worker = await open(t);
    const client = worker.client();
    await client.query('BEGIN');
    await client.query('CREATE TABLE t AS SELECT 1 AS i');
    t.equal((await query(client, 'SELECT i FROM t')).trailers[CARRIED_TRAILER], 'none');
    await client.query('ROLLBACK');
    await client.query('CREATE TEMP TABLE own (i INTEGER)');
    const described = await query(client, 'SELECT i FROM own');
    t.equal(described.trailers[CARRIED_TRAILER], 'none');
    t.equal((await fetched(client, described)).trailers[ROWS_TRAILER], '0');
  });
  await t.test('while too many stand still', async (t) => {
    const worker = await open(t, { startsMax: 1 });
    const client = worker.client();
    const first = await query(client, LARGE);
    const second = await query(client, 'SELECT 1');
    t.equal(second.trailers[CARRIED_TRAILER], 'none');
    t.equal(worker.context.headStarts.size, 1);
    t.equal((await fetched(client, second)).trailers[ROWS_TRAILER], '1');
    await fetched(client, first);
    t.equal((await query(client, 'SELECT 1')).trailers[CARRIED_TRAILER], 'complete');
  });
});

t.test('an error is told by DoGet', async (t) => {
  const worker = await open(t);
  const client = worker.client();
  for (const sql of [
    `SELECT error('boom') FROM range(3) t(i)`,
    `SELECT CASE WHEN i = 2500000 THEN error('boom') ELSE i END AS v FROM range(3000000) t(i)`,
  ]) {
    const described = await query(client, sql);
    t.equal(described.trailers['grpc-status'], '0');
    t.equal(described.trailers[CARRIED_TRAILER], 'none');
    await t.rejects(fetched(client, described), { message: /boom/ });
  }
  t.same([worker.context.headStarts.size, worker.context.statements.running], [0, 0]);
});

t.test('it stops with a cancel, with its session, and with a caller who left', async (t) => {
  const worker = await open(t, { waitMs: 1 });
  const client = worker.client();
  for (const sql of [ENDLESS, LARGE]) {
    const cancelled = await query(client, sql);
    t.equal(worker.context.statements.running, 1);
    const flightInfo = decodeFlightInfo(cancelled.messages[0] ?? Buffer.alloc(0));
    await client.action({ kind: 'cancel_flight_info', flightInfo });
    await eventually(() => worker.context.statements.running === 0);
    await t.rejects(fetched(client, cancelled), { code: 'not_found' });

    await query(client, sql);
    await client.action({ kind: 'close_session' });
    await eventually(() => worker.context.statements.running === 0 && worker.context.headStarts.size === 0);
  }

  const fetching = await query(client, ENDLESS);
  const stream = client.startFetch(decodeFlightInfo(fetching.messages[0] ?? Buffer.alloc(0)));
  stream.on('error', () => undefined);
  await eventually(() => worker.context.headStarts.size === 0);
  stream.close(8);
  await eventually(() => worker.context.statements.running === 0);
  t.same(plainRows(await client.fetch(await client.info({ kind: 'statement_query', query: 'SELECT 1::INTEGER AS a' }))), [{ a: 1 }]);
});
