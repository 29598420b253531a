import { decodeBeginTransactionResult } from '@jetbridge/proto/flight-sql-result';
import { newId } from '@jetbridge/proto/ids';
import t, { type Test } from 'tap';
import { type FlightClient, FlightWorker } from '../testing/flight-worker.ts';

async function open(t: Test): Promise<FlightWorker> {
  const worker = await FlightWorker.open({ directory: t.testdir() });
  t.teardown(() => worker.close());
  return worker;
}

async function begin(client: FlightClient): Promise<Buffer> {
  return decodeBeginTransactionResult((await client.action({ kind: 'begin_transaction' })) ?? Buffer.alloc(0));
}

const update = (client: FlightClient, query: string, transactionId?: Buffer): Promise<unknown> =>
  client.put({ kind: 'statement_update', query, transactionId });

const commit = (client: FlightClient, transactionId: Buffer): Promise<unknown> =>
  client.action({ kind: 'end_transaction', transactionId, action: 'commit' });

const rollback = (client: FlightClient, transactionId: Buffer): Promise<unknown> =>
  client.action({ kind: 'end_transaction', transactionId, action: 'rollback' });

t.test('what a transaction changes is seen by others from its commit on', async (t) => {
  const worker = await open(t);
  const [one, two] = [worker.client(), worker.client()];
  await one.query('CREATE TABLE t (i INTEGER)');
  const transactionId = await begin(one);
  await update(one, 'INSERT INTO t VALUES (1)', transactionId);
  const prepared = await one.prepare('INSERT INTO t VALUES (2)', transactionId);
  await one.put({ kind: 'prepared_statement_update', handle: prepared.handle });
  const seen = await one.info({ kind: 'statement_query', query: 'SELECT count(*)::INTEGER AS n FROM t', transactionId });
  t.equal((await one.fetch(seen)).get(0)?.n, 2);
  t.same(await two.query('SELECT i FROM t'), []);
  await commit(one, transactionId);
  t.same(await two.query('SELECT i FROM t ORDER BY i'), [{ i: 1 }, { i: 2 }]);
  t.same(await one.query('SELECT 1::INTEGER AS a'), [{ a: 1 }]);
});

t.test('a rollback leaves nothing, and the next transaction begins', async (t) => {
  const client = (await open(t)).client();
  await client.query('CREATE TABLE t (i INTEGER)');
  const first = await begin(client);
  await update(client, 'INSERT INTO t VALUES (1)', first);
  await rollback(client, first);
  const second = await begin(client);
  t.notSame(first, second);
  await update(client, 'INSERT INTO t VALUES (2)', second);
  await t.rejects(update(client, 'INSERT INTO t VALUES (3)', first), { code: 'failed_precondition', message: /ended/ });
  await commit(client, second);
  t.same(await client.query('SELECT i FROM t'), [{ i: 2 }]);
});

t.test('a session has one transaction at a time', async (t) => {
  const client = (await open(t)).client();
  const transactionId = await begin(client);
  await t.rejects(client.action({ kind: 'begin_transaction' }), { code: 'failed_precondition', message: /open transaction/ });
  await rollback(client, transactionId);
  await client.query('BEGIN');
  await t.rejects(client.action({ kind: 'begin_transaction' }), { code: 'failed_precondition' });
  await client.query('ROLLBACK');
  await commit(client, await begin(client));
});

t.test('a transaction that SQL has ended runs nothing more, and its end is no failure', async (t) => {
  const client = (await open(t)).client();
  await client.query('CREATE TABLE t (i INTEGER)');
  const transactionId = await begin(client);
  await update(client, 'INSERT INTO t VALUES (1)', transactionId);
  await update(client, 'COMMIT', transactionId);
  await t.rejects(update(client, 'INSERT INTO t VALUES (2)', transactionId), { code: 'failed_precondition', message: /begin a new one/ });
  await commit(client, transactionId);
  await t.rejects(commit(client, transactionId), { code: 'not_found' });
  t.same(await client.query('SELECT i FROM t'), [{ i: 1 }]);
});

t.test('a transaction in which something failed can only be rolled back', async (t) => {
  const client = (await open(t)).client();
  await client.query('CREATE TABLE t (i INTEGER PRIMARY KEY)');
  const broken = await begin(client);
  await update(client, 'INSERT INTO t VALUES (1)', broken);
  await t.rejects(update(client, 'INSERT INTO t VALUES (1)', broken), { code: 'already_exists' });
  await t.rejects(update(client, 'INSERT INTO t VALUES (2)', broken));
  await t.rejects(commit(client, broken), { code: 'aborted', message: /rolled back/ });
  const next = await begin(client);
  await update(client, 'INSERT INTO t VALUES (3)', next);
  await commit(client, next);
  t.same(await client.query('SELECT i FROM t'), [{ i: 3 }]);
});

t.test('two transactions that change the same row: the second is aborted', async (t) => {
  const worker = await open(t);
  const [one, two] = [worker.client(), worker.client()];
  await one.query('CREATE TABLE t AS SELECT 1 AS i');
  const [first, second] = [await begin(one), await begin(two)];
  await update(one, 'UPDATE t SET i = 2', first);
  await t.rejects(update(two, 'UPDATE t SET i = 3', second), { code: 'aborted' });
  await rollback(two, second);
  await commit(one, first);
  t.same(await two.query('SELECT i FROM t'), [{ i: 2 }]);
});

t.test("nobody ends or uses another session's transaction", async (t) => {
  const worker = await open(t);
  const principalId = newId('prn');
  const owner = worker.client(principalId);
  await owner.query('CREATE TABLE t (i INTEGER)');
  const transactionId = await begin(owner);
  await update(owner, 'INSERT INTO t VALUES (1)', transactionId);
  for (const other of [worker.client(principalId), worker.client()]) {
    await t.rejects(commit(other, transactionId), { code: 'not_found' });
    await t.rejects(update(other, 'INSERT INTO t VALUES (2)', transactionId), { code: 'not_found' });
    await rollback(other, transactionId);
  }
  await commit(owner, transactionId);
  t.same(await owner.query('SELECT i FROM t'), [{ i: 1 }]);
});

t.test('ids that are none', async (t) => {
  const client = (await open(t)).client();
  const { handle } = await client.prepare('SELECT 1');
  await t.rejects(update(client, 'CREATE TABLE t (i INTEGER)', handle), { code: 'invalid_argument', message: /not a transaction/ });
  for (const forged of [Buffer.from('forged'), Buffer.alloc(200, 7)]) {
    await t.rejects(commit(client, forged), { code: 'not_found' });
    await t.rejects(update(client, 'CREATE TABLE t (i INTEGER)', forged), { code: 'not_found' });
    await rollback(client, forged);
  }
  await t.rejects(client.query('FROM t'), { code: 'not_found' });
});

t.test('closing the session rolls its transaction back', async (t) => {
  const worker = await open(t);
  const [one, two] = [worker.client(), worker.client()];
  await one.query('CREATE TABLE t (i INTEGER)');
  const transactionId = await begin(one);
  await update(one, 'INSERT INTO t VALUES (1)', transactionId);
  await one.action({ kind: 'close_session' });
  t.same(await two.query('SELECT i FROM t'), []);
  await t.rejects(commit(one, transactionId), { code: 'not_found' });
});

t.test('temporary tables of a session are there in its transactions', async (t) => {
  const client = (await open(t)).client();
  const first = await begin(client);
  await update(client, 'CREATE TEMP TABLE own (i INTEGER)', first);
  await commit(client, first);
  const second = await begin(client);
  await update(client, 'INSERT INTO own VALUES (1)', second);
  await commit(client, second);
  t.same(await client.query('SELECT i FROM own'), [{ i: 1 }]);
});
