import { setImmediate } from 'node:timers/promises';
import { encodeFlightData } from '@jetbridge/proto/flight';
import type { StatementIngest } from '@jetbridge/proto/flight-sql';
import { decodeBeginTransactionResult, decodeDoPutUpdateResult } from '@jetbridge/proto/flight-sql-result';
import { Table as ArrowTable, Field, Int64, List, tableFromArrays, Utf8, vectorFromArray } from 'apache-arrow';
import t from 'tap';
import { type FlightClient, FlightWorker } from '../testing/flight-worker.ts';
import { answerOf } from '../testing/grpc-client.ts';

const worker = await FlightWorker.open({ directory: t.testdir() });
t.teardown(() => worker.close());

/** A client of its own; the table of the test before is gone. */
async function newClient(): Promise<FlightClient> {
  const client = worker.client();
  await client.query('DROP TABLE IF EXISTS t');
  return client;
}

const CREATE = { ifNotExist: 'create', ifExists: 'fail' } as const;
const APPEND = { ifNotExist: 'fail', ifExists: 'append' } as const;
const REPLACE = { ifNotExist: 'create', ifExists: 'replace' } as const;
const CREATE_APPEND = { ifNotExist: 'create', ifExists: 'append' } as const;
type Mode = Pick<StatementIngest, 'ifNotExist' | 'ifExists'>;

async function ingest(client: FlightClient, rows: ArrowTable, mode: Mode, more: Partial<StatementIngest> = {}): Promise<number> {
  const answer = await client.put({ kind: 'statement_ingest', table: 't', temporary: false, options: new Map(), ...mode, ...more }, rows);
  return decodeDoPutUpdateResult(answer);
}

function rowsOf(ids: readonly number[], text = 'row'): ArrowTable {
  return new ArrowTable({
    id: vectorFromArray(ids.map(BigInt), new Int64()),
    s: vectorFromArray(
      ids.map((id) => (id % 5 === 4 ? null : `${text} ${id}`)),
      new Utf8(),
    ),
  });
}

const COUNT = 'SELECT count(*)::INTEGER AS n, count(s)::INTEGER AS s, sum(id)::INTEGER AS sum FROM t';

t.test('the four modes', async (t) => {
  const client = await newClient();
  await t.rejects(ingest(client, rowsOf([1]), APPEND), { code: 'not_found', message: /no table files\.main\.t/ });
  t.equal(await ingest(client, rowsOf([1, 2, 3, 4]), CREATE), 4);
  t.same(await client.query(COUNT), [{ n: 4, s: 3, sum: 10 }]);
  await t.rejects(ingest(client, rowsOf([1]), CREATE), { code: 'already_exists', message: /files\.main\.t/ });
  t.equal(await ingest(client, rowsOf([5]), APPEND), 1);
  t.equal(await ingest(client, rowsOf([6]), CREATE_APPEND), 1);
  t.equal(await ingest(client, rowsOf([7]), { ifNotExist: 'unspecified', ifExists: 'unspecified' }), 1);
  t.same(await client.query(COUNT), [{ n: 7, s: 6, sum: 28 }]);
  t.equal(await ingest(client, tableFromArrays({ other: Int32Array.of(1, 2) }), REPLACE), 2);
  t.same(await client.query('SELECT sum(other)::INTEGER AS o FROM t'), [{ o: 3 }]);
});

t.test('no rows at all still make the table', async (t) => {
  const client = await newClient();
  t.equal(await ingest(client, rowsOf([1]).slice(0, 0), CREATE), 0);
  t.same(await client.query(COUNT), [{ n: 0, s: 0, sum: null }]);
});

t.test('columns go by name, and unknown ones are refused', async (t) => {
  const client = await newClient();
  await client.query('CREATE TABLE t (s VARCHAR, more INTEGER DEFAULT 7, id INTEGER)');
  t.equal(await ingest(client, rowsOf([1]), APPEND), 1);
  t.same(await client.query('SELECT * FROM t'), [{ s: 'row 1', more: 7, id: 1 }]);
  await t.rejects(ingest(client, tableFromArrays({ id: [1n], nope: [2n] }), APPEND), { code: 'invalid_argument', message: /nope/ });
  await client.query('CREATE VIEW v AS SELECT 1 AS id');
  await t.rejects(ingest(client, rowsOf([1]), APPEND, { table: 'v' }), { code: 'invalid_argument', message: /view/ });
});

t.test('catalog and schema', async (t) => {
  const client = await newClient();
  await client.query('CREATE SCHEMA "a ""b"');
  t.equal(await ingest(client, rowsOf([1]), CREATE, { schema: 'a "b', table: 'x "y' }), 1);
  t.same(await client.query('SELECT id::INTEGER AS id FROM files."a ""b"."x ""y"'), [{ id: 1 }]);
  await t.rejects(ingest(client, rowsOf([1]), CREATE, { schema: 'a "b', table: 'X "Y' }), { code: 'already_exists' });
  await t.rejects(ingest(client, rowsOf([1]), CREATE, { schema: 'nowhere' }), { code: 'not_found' });
  await t.rejects(ingest(client, rowsOf([1]), CREATE, { catalog: 'nowhere' }), { code: 'not_found' });
  t.equal(await ingest(client, rowsOf([1]), CREATE, { catalog: 'files', table: 'z' }), 1);
  t.same(await client.query('SELECT count(*)::INTEGER AS n FROM main.z'), [{ n: 1 }]);
});

t.test("a temporary table is the session's own", async (t) => {
  const client = await newClient();
  t.equal(await ingest(client, rowsOf([1, 2]), CREATE, { temporary: true }), 2);
  t.equal(await ingest(client, rowsOf([3]), APPEND, { temporary: true }), 1);
  t.same(await client.query(COUNT), [{ n: 3, s: 3, sum: 6 }]);
  await t.rejects(worker.client().query('SELECT * FROM t'), { code: 'not_found' });
  await t.rejects(ingest(client, rowsOf([1]), CREATE, { temporary: true, schema: 'main' }), { code: 'invalid_argument' });
});

/** Messages of an upload whose second batch is damaged. */
async function uploadWithBadEnd(client: FlightClient, mode: Mode): Promise<unknown> {
  const good = client.frames(rowsOf([10, 11]));
  const bad = encodeFlightData({
    dataHeader: Buffer.from('no flatbuffer at all'),
    appMetadata: Buffer.alloc(0),
    dataBody: Buffer.alloc(0),
  });
  return client.putFrames({ kind: 'statement_ingest', table: 't', temporary: false, options: new Map(), ...mode }, [...good, bad]);
}

t.test('all or nothing', async (t) => {
  const client = await newClient();
  await t.rejects(uploadWithBadEnd(client, CREATE), { code: 'invalid_argument' });
  await t.rejects(client.query('SELECT * FROM t'), { code: 'not_found' }, 'the table itself is undone');
  await ingest(client, rowsOf([1]), CREATE);
  await t.rejects(uploadWithBadEnd(client, APPEND), { code: 'invalid_argument' });
  await t.rejects(uploadWithBadEnd(client, REPLACE), { code: 'invalid_argument' });
  t.same(await client.query(COUNT), [{ n: 1, s: 1, sum: 1 }]);
});

t.test('a transaction that is rolled back leaves no ingested rows, one that is committed does', async (t) => {
  const client = await newClient();
  await ingest(client, rowsOf([]), CREATE);
  const begin = async (): Promise<Buffer> =>
    decodeBeginTransactionResult((await client.action({ kind: 'begin_transaction' })) ?? Buffer.alloc(0));
  for (const action of ['rollback', 'commit'] as const) {
    const transactionId = await begin();
    await ingest(client, rowsOf([1, 2]), APPEND, { transactionId });
    t.same(await client.query('SELECT count(*)::INTEGER AS n FROM t'), [{ n: 2 }]);
    await client.action({ kind: 'end_transaction', transactionId, action });
  }
  t.same(await client.query('SELECT count(*)::INTEGER AS n FROM t'), [{ n: 2 }]);
});

t.test('in a transaction of the session rows count with it, and a failure leaves none of its own', async (t) => {
  const client = await newClient();
  await ingest(client, rowsOf([1]), CREATE);
  await client.query('BEGIN');
  t.equal(await ingest(client, rowsOf([2]), APPEND), 1);
  await t.rejects(uploadWithBadEnd(client, APPEND), { code: 'invalid_argument' });
  t.same(await client.query(COUNT), [{ n: 2, s: 2, sum: 3 }]);
  await client.query('ROLLBACK');
  t.same(await client.query(COUNT), [{ n: 1, s: 1, sum: 1 }]);
  await client.query('BEGIN');
  t.equal(await ingest(client, rowsOf([2]), APPEND), 1);
  await client.query('COMMIT');
  t.same(await client.query(COUNT), [{ n: 2, s: 2, sum: 3 }]);
});

t.test('an upload that stalls ends with its session, and nothing of it stays', async (t) => {
  const client = await newClient();
  await ingest(worker.client(), rowsOf([1]), CREATE);
  const command = { kind: 'statement_ingest', table: 't', temporary: false, options: new Map<string, string>(), ...REPLACE } as const;
  const call = client.startPut(command, client.frames(rowsOf([2, 3])));
  const ended = answerOf(call);
  while (worker.context.statements.running === 0) {
    await setImmediate();
  }
  await client.query('SELECT 1 AS one');
  worker.context.sessions.closeAll();
  await t.rejects(ended, { message: /session/ });
  t.same(await client.query(COUNT), [{ n: 1, s: 1, sum: 1 }]);
  t.equal(await ingest(client, rowsOf([4]), REPLACE), 1, 'nobody holds the table');
});

const UPSERT = new Map([
  ['primary_key', '["id"]'],
  ['cursor_field', '["at"]'],
]);

function versions(rows: readonly (readonly [number, number | null, string])[]): ArrowTable {
  return new ArrowTable({
    id: vectorFromArray(
      rows.map(([id]) => BigInt(id)),
      new Int64(),
    ),
    at: vectorFromArray(
      rows.map(([, at]) => (at === null ? null : BigInt(at))),
      new Int64(),
    ),
    s: vectorFromArray(
      rows.map(([, , s]) => s),
      new Utf8(),
    ),
  });
}

t.test('upsert: the newest row of each key stays', async (t) => {
  const client = await newClient();
  const all = 'SELECT id::INTEGER AS id, s FROM t ORDER BY id';
  await ingest(
    client,
    versions([
      [1, 5, 'a'],
      [2, 5, 'b'],
      [1, 4, 'older'],
      [3, null, 'c'],
      [3, null, 'C'],
    ]),
    CREATE,
    { options: UPSERT },
  );
  t.same(await client.query(all), [
    { id: 1, s: 'a' },
    { id: 2, s: 'b' },
    { id: 3, s: 'C' },
  ]);
  await client.query('CREATE UNIQUE INDEX one ON t (id)');
  const more = versions([
    [1, 4, 'older'],
    [2, 5, 'as new, but later'],
    [3, 1, 'd'],
    [4, null, 'e'],
    [2, null, 'oldest'],
  ]);
  t.equal(await ingest(client, more, APPEND, { options: UPSERT }), 3, 'rows that changed');
  t.same(await client.query(all), [
    { id: 1, s: 'a' },
    { id: 2, s: 'as new, but later' },
    { id: 3, s: 'd' },
    { id: 4, s: 'e' },
  ]);
  await ingest(
    client,
    versions([
      [1, 0, 'x'],
      [1, 0, 'y'],
    ]),
    APPEND,
    { options: new Map([['primary_key', '["ID"]']]) },
  );
  t.same((await client.query(all))[0], { id: 1, s: 'y' }, 'without a cursor the last one counts');
});

t.test('upsert: what makes no sense is refused', async (t) => {
  const client = await newClient();
  const rows = versions([[1, 1, 'a']]);
  const cases: readonly (readonly [string, string])[] = [
    ['primary_key', 'id'],
    ['primary_key', '[]'],
    ['primary_key', '["nope"]'],
    ['primary_key', '[1]'],
    ['cursor_field', '["at"]'],
    ['on_conflict', '["id"]'],
  ];
  for (const option of cases) {
    await t.rejects(ingest(client, rows, CREATE, { options: new Map([option]) }), { code: 'invalid_argument' }, option.join());
  }
  const nullKey = new ArrowTable({ id: vectorFromArray([1n, null], new Int64()), at: vectorFromArray([1n, 1n], new Int64()) });
  await t.rejects(ingest(client, nullKey, CREATE, { options: UPSERT }), { code: 'invalid_argument', message: /NULL in its primary key/ });
  await t.rejects(client.query('SELECT * FROM t'), { code: 'not_found' });
});

t.test('ten at once do not mix', async (t) => {
  const ids = Array.from({ length: 20_000 }, (_, i) => i);
  await ingest(worker.client(), rowsOf([]), CREATE, { table: 'shared' });
  await Promise.all(
    Array.from({ length: 10 }, async (_, i) => {
      const client = worker.client();
      t.equal(await ingest(client, rowsOf(ids, `client ${i}`), CREATE, { table: `own_${i}` }), ids.length);
      t.equal(await ingest(client, rowsOf(ids, `client ${i}`), APPEND, { table: 'shared' }), ids.length);
    }),
  );
  const client = worker.client();
  t.same(await client.query('SELECT count(*)::INTEGER AS n, count(DISTINCT s)::INTEGER AS s FROM shared'), [{ n: 200_000, s: 160_000 }]);
  t.same(await client.query("SELECT count(*)::INTEGER AS n FROM own_3 WHERE s NOT LIKE 'client 3 %'"), [{ n: 0 }]);
});

t.test('what is no upload of rows is refused', async (t) => {
  const client = await newClient();
  const command = { kind: 'statement_ingest', table: 't', temporary: false, options: new Map<string, string>(), ...CREATE } as const;
  await t.rejects(client.put(command), { code: 'invalid_argument', message: /schema/ });
  await t.rejects(ingest(client, rowsOf([1]), CREATE, { table: '' }), { code: 'invalid_argument' });
  await t.rejects(ingest(client, rowsOf([1]), CREATE, { transactionId: Buffer.from('x') }), { code: 'not_found' });
  t.equal(await ingest(client, rowsOf([1]), CREATE), 1, 'nothing of that did harm');
});

t.test('lists arrive as lists', async (t) => {
  const client = await newClient();
  const list = vectorFromArray([['a', null], [], null], new List(new Field('item', new Utf8(), true)));
  await ingest(client, new ArrowTable({ l: list }), CREATE);
  t.same(await client.query('SELECT l::VARCHAR AS l FROM t'), [{ l: '[a, NULL]' }, { l: '[]' }, { l: null }]);
});
