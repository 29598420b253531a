import type { FlightDataHead } from '@jetbridge/proto/flight';
import { StatusError } from '@jetbridge/proto/status-error';
import { tableFromIPC } from 'apache-arrow';
import t, { type Test } from 'tap';
import { type FakeAnswer, type FakeFlightServer, numbersTable, startFakeFlightServer } from '../testing/fake-flight-server.ts';
import { ipcStream, readBatches } from './arrow-ipc.ts';
import { parseFlightUri } from './flight-address.ts';
import { FlightClient, type Outcome } from './flight-client.ts';

const never = new AbortController().signal;
const SIGN_IN = { kind: 'password', username: 'tester', password: 'secret' } as const;

async function connect(test: Test, answer: (sql: string) => FakeAnswer): Promise<{ server: FakeFlightServer; client: FlightClient }> {
  const server = await startFakeFlightServer(answer);
  const client = new FlightClient({ uri: server.uri, caPem: undefined }, SIGN_IN);
  test.teardown(async () => {
    await client.close();
    await server.close();
  });
  return { server, client };
}

function messagesOf(outcome: Outcome): AsyncIterable<FlightDataHead> {
  if (outcome.kind !== 'rows') {
    throw new Error('expected rows');
  }
  return outcome.messages;
}

async function countRows(outcome: Outcome): Promise<number> {
  let rows = 0;
  for await (const batch of (await readBatches(messagesOf(outcome))).batches) {
    rows += batch.numRows;
  }
  return rows;
}

t.test('signs in once, reads rows, closes statements and session', async (t) => {
  const { server, client } = await connect(t, () => ({ kind: 'table', table: numbersTable(1000) }));
  t.equal(await countRows(await client.execute('one', never)), 1000);
  t.equal(await countRows(await client.execute('two', never)), 1000);
  await client.close();
  t.equal(server.handshakes, 1);
  t.equal(server.sessionsClosed, 1);
  t.strictSame(server.statements, ['one', 'two']);
  t.strictSame([...server.closedHandles].sort(), ['one', 'two']);
});

t.test('an update answers the number of rows', async (t) => {
  const { client } = await connect(t, () => ({ kind: 'changed', rows: 7 }));
  t.strictSame(await client.execute('UPDATE', never), { kind: 'changed', rows: 7 });
});

t.test('a wrong password and a failing statement are the server’s own errors', async (t) => {
  const { server, client } = await connect(t, () => ({
    kind: 'error',
    error: new StatusError('not_found', 'no table x; did you mean y?'),
  }));
  const stranger = new FlightClient({ uri: server.uri, caPem: undefined }, { ...SIGN_IN, password: 'wrong' });
  t.teardown(() => stranger.close());
  await t.rejects(stranger.execute('x', never), { code: 'unauthenticated', message: 'unknown user name or password' });
  await t.rejects(client.execute('x', never), { code: 'not_found', message: 'no table x; did you mean y?' });
});

t.test('a failure after some rows is a failure, never a short result', async (t) => {
  const { client } = await connect(t, () => ({
    kind: 'broken',
    table: numbersTable(10),
    error: new StatusError('invalid_argument', 'boom'),
  }));
  await t.rejects(countRows(await client.execute('x', never)), { code: 'invalid_argument', message: 'boom' });
  const outcome = await client.execute('x', never);
  const chunks: Buffer[] = [];
  await t.rejects(
    (async () => {
      for await (const chunk of ipcStream(messagesOf(outcome))) {
        chunks.push(chunk);
      }
    })(),
    { message: 'boom' },
  );
  t.not(chunks.at(-1)?.toString('hex'), 'ffffffff00000000');
});

t.test('an expired session is opened again, once', async (t) => {
  const { server, client } = await connect(t, () => ({ kind: 'table', table: numbersTable(1) }));
  await countRows(await client.execute('one', never));
  server.expireSession();
  t.equal(await countRows(await client.execute('two', never)), 1);
  t.equal(server.handshakes, 2);
});

t.test('cancelling resets the stream', async (t) => {
  const { server, client } = await connect(t, () => ({ kind: 'endless', table: numbersTable(5000) }));
  const stop = new AbortController();
  const outcome = await client.execute('x', stop.signal);
  await t.rejects(
    (async () => {
      for await (const _ of messagesOf(outcome)) {
        stop.abort();
      }
    })(),
    { code: 'cancelled' },
  );
  await server.cancelled;
});

t.test('a reader that stops early resets the stream', async (t) => {
  const { server, client } = await connect(t, () => ({ kind: 'endless', table: numbersTable(5000) }));
  const outcome = await client.execute('x', never);
  const result = await readBatches(messagesOf(outcome));
  for await (const _ of result.batches) {
    break;
  }
  await result.close();
  await server.cancelled;
});

t.test('the IPC stream of a result is a valid Arrow stream', async (t) => {
  const { client } = await connect(t, () => ({ kind: 'table', table: numbersTable(300) }));
  const outcome = await client.execute('x', never);
  const chunks: Buffer[] = [];
  for await (const chunk of ipcStream(messagesOf(outcome))) {
    chunks.push(chunk);
  }
  const table = tableFromIPC(Buffer.concat(chunks));
  t.equal(table.numRows, 300);
  t.equal(table.getChild('i')?.get(299), 299);
});

t.test('nobody there', async (t) => {
  const client = new FlightClient({ uri: 'grpc://127.0.0.1:1', caPem: undefined }, SIGN_IN);
  t.teardown(() => client.close());
  await t.rejects(client.execute('x', never), {
    code: 'unavailable',
    message: /cannot connect to grpc:\/\/127\.0\.0\.1:1: .*ECONNREFUSED.*is the gateway running\?/,
  });
});

t.test('addresses', async (t) => {
  t.strictSame(parseFlightUri('grpc+tls://a.example:31337'), { target: 'dns:a.example:31337', secure: true });
  t.strictSame(parseFlightUri('grpc://[::1]:1/'), { target: 'dns:[::1]:1', secure: false });
  for (const wrong of ['localhost:31337', 'https://a:1', 'grpc+tls://a', 'grpc+tls://u:p@a:1', '']) {
    t.throws(() => parseFlightUri(wrong), /is not the address of a Flight SQL endpoint/);
  }
});
