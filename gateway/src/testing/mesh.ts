import { createSecretKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type Http2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Credential } from '@jetbridge/pki/credential/credential';
import { serviceCredential, testAuthority, workerCredential } from '@jetbridge/pki/fixture';
import { tunnelDialOptions } from '@jetbridge/pki/trust/tls';
import { FLIGHT_SERVICE_PATH } from '@jetbridge/proto/flight';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { newId } from '@jetbridge/proto/ids';
import { encodeHelloReply, TUNNEL_HELLO_PATH } from '@jetbridge/proto/tunnel';
import { pino } from 'pino';
import type { Test } from 'tap';
import { CallerCache } from '../control/caller-cache.ts';
import { WaitingBytes } from '../flight/first-message.ts';
import { FlightServer } from '../flight/server.ts';
import { FlightService } from '../flight/service.ts';
import {
  CALLER_CACHE_LIMITS,
  CARRY_LIMITS,
  CLOSES_FORWARDED_MAX,
  FLIGHT_LIMITS,
  PRESENCE_LIMITS,
  RELAY_LIMITS,
  TUNNEL_LIMITS,
} from '../limits.ts';
import { listen } from '../listen.ts';
import { MemoryPresence } from '../presence/memory-presence.ts';
import { CarriedResults } from '../statement/carried-results.ts';
import { ForwardedCloses } from '../statement/forwarded-closes.ts';
import { Metrics } from '../telemetry.ts';
import { createTunnelListener } from '../tunnel/acceptor.ts';
import { relay } from '../tunnel/relay.ts';
import type { RelayCall, RelayOutcome } from '../tunnel/relay-interface.ts';
import { Tunnels } from '../tunnel/tunnels.ts';
import { FakeControl } from './fake-control.ts';

const ANYWHERE = { host: '127.0.0.1', port: 0 };

export interface MeshOptions {
  readonly flight?: Partial<typeof FLIGHT_LIMITS>;
  readonly tunnel?: Partial<typeof TUNNEL_LIMITS>;
  readonly relay?: Partial<typeof RELAY_LIMITS>;
  /** Without it nothing is carried: every GetFlightInfo and DoGet goes through the relay. */
  readonly carry?: Partial<typeof CARRY_LIMITS>;
  readonly closesForwarded?: number;
  /** What the tunnel listener takes for the present. */
  readonly now?: () => Date;
}

/** A gateway in this process: real TLS, HTTP/2, tunnels and relay; only the control plane is a fake. */
export interface Mesh {
  readonly control: FakeControl;
  readonly tunnels: Tunnels;
  readonly flight: FlightServer;
  readonly metrics: Metrics;
  readonly caPem: string;
  readonly port: number;
  readonly tunnelPort: number;
  readonly gatewayId: string;
  readonly outcomes: RelayOutcome[];
  readonly carried: CarriedResults;
  readonly logs: Record<string, unknown>[];
  readonly newWorkerCredential: (workerId: string) => Credential;
  /** Dials a tunnel and answers Hello; every other stream goes to `serve`. */
  readonly startWorker: (options?: WorkerOptions) => Promise<TestWorker>;
  readonly connectClient: () => ClientHttp2Session;
}

export interface WorkerOptions {
  readonly workerId?: string;
  readonly pool?: string;
  readonly catalogs?: readonly string[];
  readonly bootId?: string;
  readonly serve?: Serve;
}

export type Serve = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

export interface TestWorker {
  readonly workerId: string;
  readonly session: ServerHttp2Session;
  readonly socket: TLSSocket;
}

export async function startMesh(t: Test, options: MeshOptions = {}): Promise<Mesh> {
  const authority = await testAuthority(t);
  const gateway = serviceCredential(authority, 'gateway');
  const credential = () => gateway;
  const control = new FakeControl();
  const tunnels = new Tunnels();
  const metrics = new Metrics();
  const outcomes: RelayOutcome[] = [];
  const logs: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug', base: null }, { write: (line: string) => void logs.push(JSON.parse(line)) });
  const limits = { ...FLIGHT_LIMITS, ...options.flight };
  const tunnelLimits = { ...TUNNEL_LIMITS, ...options.tunnel };
  const carryLimits = { ...CARRY_LIMITS, ...(options.carry ?? { totalBytes: 0 }) };
  const carried = new CarriedResults(carryLimits, () => performance.now());
  const service = new FlightService({
    gatewayId: gateway.identity.id,
    control,
    callers: new CallerCache({
      control,
      limits: CALLER_CACHE_LIMITS,
      key: createSecretKey(randomBytes(32)),
      now: () => Date.now(),
      counted: (result) => metrics.callerLookedUp(result),
    }),
    tunnels,
    presence: new MemoryPresence(PRESENCE_LIMITS, () => Date.now()),
    relay: async (call: RelayCall) => {
      const outcome = await relay(call);
      outcomes.push(outcome);
      return outcome;
    },
    carried,
    closes: new ForwardedCloses({ most: options.closesForwarded ?? CLOSES_FORWARDED_MAX, log }),
    waiting: new WaitingBytes(limits.waitingBytes),
    limits,
    relayLimits: { ...RELAY_LIMITS, ...options.relay },
    carryLimits,
    metrics,
    log,
    elapsed: () => performance.now(),
  });
  const flight = new FlightServer({ credential, limits, log, serve: (...call) => service.serve(...call) });
  const acceptor = createTunnelListener({
    credential,
    control,
    tunnels,
    limits: tunnelLimits,
    log,
    now: options.now ?? (() => new Date()),
  });
  const { port } = await listen(flight.listener, ANYWHERE, 'test');
  const { port: tunnelPort } = await listen(acceptor, ANYWHERE, 'test');
  const clients = new Set<ClientHttp2Session>();
  const workers = new Set<TLSSocket>();
  t.teardown(async () => {
    for (const client of clients) {
      client.destroy();
    }
    tunnels.closeAll('the test has ended');
    for (const socket of workers) {
      socket.destroy();
    }
    acceptor.close();
    await flight.drain(AbortSignal.abort());
  });
  const newWorkerCredential = (workerId: string): Credential => workerCredential(authority, workerId);
  return {
    control,
    tunnels,
    flight,
    metrics,
    caPem: authority.bundlePem,
    port,
    tunnelPort,
    gatewayId: gateway.identity.id,
    outcomes,
    carried,
    logs,
    newWorkerCredential,
    startWorker: async (workerOptions = {}) => {
      const workerId = workerOptions.workerId ?? newId('wkr');
      const pool = workerOptions.pool ?? 'default';
      control.addWorker(workerId, pool);
      const socket = await dial(tunnelPort, newWorkerCredential(workerId));
      workers.add(socket);
      const known = new Set(tunnels.ready().map(({ tunnelId }) => tunnelId));
      const session = serveTunnel(socket, { workerId, pool, ...workerOptions });
      await until(tunnels, () => tunnels.ready().some(({ tunnelId }) => !known.has(tunnelId)));
      return { workerId, session, socket };
    },
    connectClient: () => {
      const client = connect(`https://localhost:${port}`, { ca: authority.bundlePem });
      client.on('error', () => undefined);
      clients.add(client);
      return client;
    },
  };
}

export async function dial(port: number, credential: Credential): Promise<TLSSocket> {
  const socket = connectTls({ ...tunnelDialOptions(() => credential), host: '127.0.0.1', port });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

export function serveTunnel(
  socket: TLSSocket,
  { workerId, pool, catalogs = ['main'], bootId = 'boot', serve }: WorkerOptions & { readonly workerId: string; readonly pool: string },
): ServerHttp2Session {
  const session = performServerHandshake(socket);
  session.on('error', () => undefined);
  session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    if (headers[':path'] === TUNNEL_HELLO_PATH) {
      const reply = { workerId, bootId, pool, version: '0', catalogs, defaultCatalog: '' };
      answer(stream, [encodeHelloReply(reply)]);
    } else {
      serve?.(stream, headers);
    }
  });
  return session;
}

/** Sends messages and a status. */
export function answer(
  stream: ServerHttp2Stream,
  messages: readonly Buffer[],
  trailers: OutgoingHttpHeaders = { 'grpc-status': '0' },
): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  for (const message of messages) {
    stream.write(frameMessage(message));
  }
  stream.end();
}

/** Waits for a condition that changes with the set of ready tunnels. */
export async function until(tunnels: Tunnels, condition: () => boolean): Promise<void> {
  const stop = new AbortController();
  await new Promise<void>((resolve) => {
    tunnels.onChange(() => condition() && resolve(), stop.signal);
    if (condition()) {
      resolve();
    }
  });
  stop.abort();
}

export function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Opens a call of the Flight service as the mesh's one principal. */
export function call(
  client: ClientHttp2Session,
  method: string,
  headers: OutgoingHttpHeaders = { authorization: basic('ada', 'pass:word') },
): ClientHttp2Stream {
  const stream = client.request({
    ':method': 'POST',
    ':path': FLIGHT_SERVICE_PATH + method,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('error', () => undefined);
  return stream;
}

/** Resolves when a stream has closed, with an error or without. */
export function closed(stream: Http2Stream): Promise<void> {
  return new Promise((resolve) => (stream.destroyed && stream.closed ? resolve() : stream.once('close', resolve)));
}

/** What came back of a call: everything of interest, once it has ended in any way. */
export interface Answer {
  readonly headers: IncomingHttpHeaders | undefined;
  readonly trailers: IncomingHttpHeaders | undefined;
  readonly body: Buffer;
  readonly rstCode: number;
  /** True if the body ended properly. */
  readonly ended: boolean;
}

export async function answered(stream: ClientHttp2Stream): Promise<Answer> {
  let headers: IncomingHttpHeaders | undefined;
  let trailers: IncomingHttpHeaders | undefined;
  let ended = false;
  const chunks: Buffer[] = [];
  stream.on('response', (received) => {
    headers = received;
  });
  stream.on('trailers', (received) => {
    trailers = received;
  });
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    ended = true;
  });
  await closed(stream);
  return { headers, trailers, body: Buffer.concat(chunks), rstCode: stream.rstCode, ended };
}
