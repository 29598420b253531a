// Several gateway processes behind one Flight port: whichever of them a connection lands on, everything of a session works.
import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { decodeFlightInfo, decodeResult, encodeAction, encodeFlightDescriptor, encodeTicket, type Ticket } from '@jetbridge/proto/flight';
import { encodeCommand } from '@jetbridge/proto/flight-sql';
import { encodeFlightSqlAction } from '@jetbridge/proto/flight-sql-action';
import { decodePreparedStatementResult } from '@jetbridge/proto/flight-sql-result';
import { frameMessage, MessageSplitter } from '@jetbridge/proto/grpc-frame';
import t from 'tap';
import { eventually } from '../harness/deadline.ts';
import { basicOf, type CallAnswer, callFlight, connectRaw } from '../harness/flight-call.ts';
import { startMesh } from '../harness/mesh.ts';
import { metricsOf, metricValue } from '../harness/metrics.ts';
import { smallSource } from '../harness/source.ts';

t.setTimeout(180_000);

const mesh = await startMesh(t, { source: await smallSource(t), flags: ['--gateways', '2'] });

type Gateway = 'gateway' | 'gateway-2';

// The kernel deals connections out by a hash of their ports: that one of two gateways gets none of so many is out of the question.
const CONNECTIONS_MAX = 64;
const CALLS = 'jetbridge_gateway_calls_total';
const CLOSE_LIMIT_MS = 5_000;

interface Connection {
  readonly session: ClientHttp2Session;
  readonly gateway: Gateway;
}

async function callsOf(gateway: Gateway): Promise<number> {
  const page = await metricsOf(mesh, gateway);
  // One that has served nothing yet has no sample.
  return page.includes(`${CALLS}{`) ? metricValue(page, CALLS) : 0;
}

async function connect(headers: Readonly<Record<string, string>>): Promise<Connection> {
  const session = connectRaw(t, mesh);
  const before = await callsOf('gateway');
  await call(session, 'ListActions', Buffer.alloc(0), headers);
  return { session, gateway: (await callsOf('gateway')) > before ? 'gateway' : 'gateway-2' };
}

/** One connection to each. */
async function connectToBoth(headers: Readonly<Record<string, string>>): Promise<Readonly<Record<Gateway, ClientHttp2Session>>> {
  const found = new Map<Gateway, ClientHttp2Session>();
  for (let tried = 0; found.size < 2 && tried < CONNECTIONS_MAX; tried += 1) {
    const { session, gateway } = await connect(headers);
    found.set(gateway, session);
  }
  return { gateway: found.get('gateway') as ClientHttp2Session, 'gateway-2': found.get('gateway-2') as ClientHttp2Session };
}

async function call(
  session: ClientHttp2Session,
  method: string,
  message: Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<CallAnswer & { readonly messages: readonly Buffer[] }> {
  const answer = await callFlight(session, method, frameMessage(message), headers);
  const status = answer.trailers['grpc-status'] ?? answer.headers['grpc-status'];
  if (status !== '0') {
    throw new Error(`${method}: ${JSON.stringify({ ...answer.headers, ...answer.trailers })}`);
  }
  return { ...answer, messages: new MessageSplitter(1_000_000).push(answer.body) };
}

async function ticketOf(session: ClientHttp2Session, cmd: Buffer, headers: Readonly<Record<string, string>>): Promise<Ticket> {
  const { messages } = await call(session, 'GetFlightInfo', encodeFlightDescriptor({ type: 'CMD', cmd, path: [] }), headers);
  return decodeFlightInfo(messages[0] ?? Buffer.alloc(0)).endpoint[0]?.ticket ?? { ticket: Buffer.alloc(0) };
}

/** Describes at one connection and fetches at another; a schema and one batch are two messages. */
async function query(
  describing: ClientHttp2Session,
  fetching: ClientHttp2Session,
  cmd: Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  return (await call(fetching, 'DoGet', encodeTicket(await ticketOf(describing, cmd, headers)), headers)).messages.length;
}

function statement(sql: string): Buffer {
  return encodeCommand({ kind: 'statement_query', query: sql });
}

const signIn = await callFlight(connectRaw(t, mesh), 'Handshake', frameMessage(Buffer.alloc(0)), { authorization: basicOf(mesh) });
const bearer = { authorization: String(signIn.headers.authorization) };
const { gateway: first, 'gateway-2': second } = await connectToBoth(bearer);

t.test('both gateways get connections', async (t) => {
  t.match(bearer.authorization, /^Bearer /);
  t.ok(first, 'gateway');
  t.ok(second, 'gateway-2');
});

t.test('a session lives at both: tickets, large and small, and temporary tables', async (t) => {
  t.equal(await query(first, second, statement('SELECT 42 AS a'), bearer), 2);
  t.equal(await query(second, first, statement('SELECT 42 AS a'), bearer), 2);
  t.ok((await query(first, second, statement("SELECT repeat('x', 1000) AS filler FROM range(500)"), bearer)) >= 2);
  await query(first, first, statement('CREATE TEMP TABLE mine AS SELECT 1 AS a'), bearer);
  t.equal(await query(second, second, statement('SELECT a FROM mine'), bearer), 2);
});

t.test('a prepared statement serves at both, and its end is its end at both', async (t) => {
  const prepare = encodeFlightSqlAction({ kind: 'create_prepared_statement', query: 'SELECT 7 AS a' });
  const { messages } = await call(first, 'DoAction', encodeAction(prepare), bearer);
  const { handle } = decodePreparedStatementResult(decodeResult(messages[0] ?? Buffer.alloc(0)).body);
  const execute = encodeCommand({ kind: 'prepared_statement_query', handle });
  t.equal(await query(second, first, execute, bearer), 2);
  t.equal(await query(first, second, execute, bearer), 2);
  await call(second, 'DoAction', encodeAction(encodeFlightSqlAction({ kind: 'close_prepared_statement', handle })), bearer);
  // A close is answered before it has reached the worker.
  const isClosed = (): Promise<boolean> =>
    ticketOf(first, execute, bearer).then(
      () => false,
      () => true,
    );
  await eventually('the statement is closed at the other gateway too', CLOSE_LIMIT_MS, isClosed, (closed) => closed);
});

t.test('kill -9 of one gateway: its connections end, new ones work at once, and it comes back', async (t) => {
  const pid = mesh.ready.pids['gateway-2'] ?? 0;
  const ended = once(second, 'close');
  process.kill(pid, 'SIGKILL');
  await ended;
  t.equal(await query(first, first, statement('SELECT a FROM mine'), bearer), 2, 'the session goes on');
  for (let tried = 0; tried < 8; tried += 1) {
    const session = connectRaw(t, mesh);
    t.equal(await query(session, session, statement('SELECT a FROM mine'), bearer), 2, `new connection ${tried}`);
    session.close();
  }
  await mesh.restarted('gateway-2', pid);
  const again = await connectToBoth(bearer);
  t.equal(await query(again['gateway-2'], again['gateway-2'], statement('SELECT a FROM mine'), bearer), 2, 'served by the new process');
});
