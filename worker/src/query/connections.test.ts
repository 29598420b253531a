import t, { type Test } from 'tap';
import { openDuckDb } from '../engine/duckdb-engine.ts';
import { type Lease, SessionConnections } from './connections.ts';
import { Executor } from './executor.ts';

const { signal } = new AbortController();
const meter = { engineMicros: 0 };

async function open(t: Test): Promise<SessionConnections> {
  const engine = await openDuckDb({ path: ':memory:', threads: 1 });
  const connections = new SessionConnections(engine, new Executor(() => performance.now()), { catalog: 'memory', schema: 'main' });
  t.teardown(async () => {
    connections.close();
    await engine.close();
  });
  return connections;
}

const run = (lease: Lease, sql: string): Promise<void> => lease.connection.engine.execute(sql);

t.test('without state, statements have connections of their own', async (t) => {
  const connections = await open(t);
  const one = await connections.acquire('plain', signal, meter);
  const two = await connections.acquire('plain', signal, meter);
  t.not(one.connection, two.connection);
  t.equal(one.shared, false);
  one.release();
  two.release();
  const again = await connections.acquire('plain', signal, meter, one.connection);
  t.equal(again.connection, one.connection, 'the preferred one when it is idle');
  again.release();
});

t.test('a transaction binds the session until it ends', async (t) => {
  const connections = await open(t);
  const begin = await connections.acquire('transaction', signal, meter);
  await run(begin, 'BEGIN');
  begin.release();
  const inside = await connections.acquire('plain', signal, meter);
  t.equal(inside.connection, begin.connection);
  t.equal(inside.shared, true);
  let waited = true;
  const next = connections.acquire('transaction', signal, meter).then((lease) => {
    t.equal(waited, false, 'statements take turns');
    return lease;
  });
  await run(inside, 'SELECT 1');
  waited = false;
  inside.release();
  const commit = await next;
  await run(commit, 'COMMIT');
  commit.release();
  const after = await connections.acquire('plain', signal, meter);
  t.equal(after.shared, false);
  after.release();
});

t.test('temporary objects bind the session for good', async (t) => {
  const connections = await open(t);
  const create = await connections.acquire('stateful', signal, meter);
  await run(create, 'CREATE TEMP TABLE own (i INTEGER)');
  create.release();
  const later = await connections.acquire('plain', signal, meter);
  t.equal(later.connection, create.connection);
  t.equal(later.shared, true);
  later.release();
});

t.test('every connection follows the session to its location', async (t) => {
  const connections = await open(t);
  const held = await connections.acquire('plain', signal, meter);
  await run(held, 'CREATE SCHEMA lake');
  await t.rejects(connections.relocate({ catalog: 'memory', schema: 'nowhere' }, signal, meter));
  t.same(connections.location, { catalog: 'memory', schema: 'main' });
  await connections.relocate({ catalog: 'memory', schema: 'lake' }, signal, meter);
  held.release();
  for (const lease of [await connections.acquire('plain', signal, meter), await connections.acquire('plain', signal, meter)]) {
    t.same(lease.connection.location, { catalog: 'memory', schema: 'lake' });
  }
});

t.test('a closed session refuses who comes and who waits', async (t) => {
  const connections = await open(t);
  const begin = await connections.acquire('transaction', signal, meter);
  await run(begin, 'BEGIN');
  const waiting = connections.acquire('plain', signal, meter);
  connections.close();
  begin.release();
  await t.rejects(waiting, { code: 'not_found' });
  await t.rejects(connections.acquire('plain', signal, meter), { code: 'not_found' });
  t.equal(begin.connection.closed, true);
});

t.test('a location that cannot be reached frees the turn', async (t) => {
  const connections = await open(t);
  const stop = new AbortController();
  stop.abort(new Error('gone'));
  await t.rejects(connections.acquire('transaction', stop.signal, meter), { message: 'gone' });
  const lease = await connections.acquire('plain', signal, meter);
  t.equal(lease.shared, false, 'nothing is left bound');
  lease.release();
});
