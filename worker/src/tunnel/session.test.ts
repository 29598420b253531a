import { once } from 'node:events';
import type { GatewayAddress } from '@jetbridge/proto/enrollment';
import { FLIGHT_SERVICE_PATH } from '@jetbridge/proto/flight';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { newId } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import type { HelloReply } from '@jetbridge/proto/tunnel';
import t, { type Test } from 'tap';
import type { Call, Handler } from '../flight/server.ts';
import { createLogger, createMetrics } from '../telemetry.ts';
import { BrokenLink } from '../testing/broken-link.ts';
import { gatewayCredential, testAuthority, workerCredential } from '../testing/credentials.ts';
import { TestGateway, type TestTunnel } from '../testing/gateway.ts';
import { answerOf, callAll, callUnary, openCall } from '../testing/grpc-client.ts';
import { createDialer } from './dialer.ts';
import { serveTunnel } from './session.ts';

const ECHO = `${FLIGHT_SERVICE_PATH}Echo`;
const FLOOD = `${FLIGHT_SERVICE_PATH}Flood`;
const FLOOD_MESSAGES = 60;
const WAIT = `${FLIGHT_SERVICE_PATH}Wait`;

interface Fixture {
  readonly gateway: TestGateway;
  readonly tunnel: TestTunnel;
  readonly hello: HelloReply;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  readonly events: string[];
  /** Calls that wait, with their signals. */
  readonly waiting: Call[];
  readonly arrived: () => Promise<Call>;
  /** Resolves when the flood has been handed to HTTP/2. */
  readonly done: () => Promise<void>;
}

async function open(t: Test, via: (gateway: GatewayAddress) => GatewayAddress = (gateway) => gateway): Promise<Fixture> {
  const authority = await testAuthority(t.testdir());
  const worker = workerCredential(authority);
  const gatewayIdentity = gatewayCredential(authority);
  const gateway = await TestGateway.listen(gatewayIdentity);
  t.teardown(() => gateway.close());
  const stop = new AbortController();
  const events: string[] = [];
  const waiting: Call[] = [];
  let onArrival: ((call: Call) => void) | undefined;
  const flooded = Promise.withResolvers<void>();
  const handlers = new Map<string, Handler>([
    [ECHO, async (call) => void call.out.send(frameMessage(await call.message()))],
    [
      FLOOD,
      async (call) => {
        for (let sent = 0; sent < FLOOD_MESSAGES; sent += 1) {
          await call.out.send(frameMessage(Buffer.alloc(256 * 1024)));
        }
        flooded.resolve();
      },
    ],
    [
      WAIT,
      (call) =>
        new Promise((resolve, reject) => {
          call.signal.addEventListener('abort', () => reject(call.signal.reason));
          waiting.push(Object.assign(call, { finish: resolve }));
          onArrival?.(call);
        }),
    ],
  ]);
  const hello: HelloReply = {
    workerId: worker.identity.id,
    bootId: 'boot',
    pool: 'default',
    version: '0',
    catalogs: ['files'],
    defaultCatalog: 'files',
  };
  const socket = await createDialer(() => worker)(via(gateway.address), stop.signal);
  const options = {
    gatewayId: gatewayIdentity.identity.id,
    hello: () => hello,
    handlers,
    log: createLogger('silent'),
    metrics: createMetrics(),
  };
  const ended = serveTunnel(socket, options, { serving: () => events.push('serving'), retired: () => events.push('retired') }, stop.signal);
  t.teardown(() => socket.destroy());
  const tunnel = await gateway.nextTunnel();
  const arrived = (): Promise<Call> => new Promise((resolve) => (onArrival = resolve));
  return { gateway, tunnel, hello, stop, ended, events, waiting, arrived, done: () => flooded.promise };
}

t.test('hello opens the tunnel for calls', async (t) => {
  const { gateway, tunnel, hello, events } = await open(t);
  await t.rejects(callUnary(tunnel.session, ECHO, Buffer.from('early')), { code: 'unimplemented' });
  t.same(await gateway.hello(tunnel), hello);
  t.same(events, ['serving']);
  t.equal((await callUnary(tunnel.session, ECHO, Buffer.from('late'))).toString(), 'late');
});

t.test('a hello in another name than the certificate is refused', async (t) => {
  const { gateway, tunnel, events } = await open(t);
  await t.rejects(gateway.hello(tunnel, newId('gtw')), { code: 'permission_denied' });
  t.same(events, []);
});

t.test('draining finishes what runs and takes nothing new', async (t) => {
  const { gateway, tunnel, stop, ended, events, arrived, waiting } = await open(t);
  await gateway.hello(tunnel);
  const arrival = arrived();
  const running = callAll(tunnel.session, WAIT, [Buffer.alloc(0)]);
  await arrival;
  const goaway = once(tunnel.session, 'goaway');
  stop.abort();
  await goaway;
  t.same(events, ['serving', 'retired']);
  await t.rejects(callUnary(tunnel.session, ECHO, Buffer.from('new')));
  (waiting[0] as Call & { finish: () => void }).finish();
  t.equal((await running).trailers['grpc-status'], '0');
  await ended;
});

t.test('a draining tunnel delivers a large answer to its last byte', async (t) => {
  const { gateway, tunnel, stop, ended, done } = await open(t);
  await gateway.hello(tunnel);
  const stream = openCall(tunnel.session, FLOOD);
  stream.end();
  const answer = answerOf(stream);
  await once(stream, 'response');
  // A client that reads slowly, as far as the gateway notices: all of it has arrived and is still unread when the worker is done.
  stream.pause();
  stop.abort();
  await done();
  stream.resume();
  const { messages, trailers } = await answer;
  t.equal(messages.length, FLOOD_MESSAGES);
  t.equal(trailers['grpc-status'], '0');
  await ended;
});

t.test('a reset stream aborts its call and no other', async (t) => {
  const { gateway, tunnel, arrived } = await open(t);
  await gateway.hello(tunnel);
  const arrival = arrived();
  const stream = openCall(tunnel.session, WAIT);
  stream.on('error', () => undefined);
  stream.end(frameMessage(Buffer.alloc(0)));
  const call = await arrival;
  const aborted = once(call.signal, 'abort');
  stream.close(8);
  await aborted;
  t.match(call.signal.reason, { code: 'cancelled' });
  t.equal((await callUnary(tunnel.session, ECHO, Buffer.from('still'))).toString(), 'still');
});

t.test('a deadline ends the call with its own status', async (t) => {
  const { gateway, tunnel } = await open(t);
  await gateway.hello(tunnel);
  const answer = callAll(tunnel.session, WAIT, [Buffer.alloc(0)], { 'grpc-timeout': '20m' });
  await t.rejects(answer, new StatusError('deadline_exceeded', 'the time that the caller gave has passed'));
});

t.test('a lost socket retires the tunnel and aborts its calls', async (t) => {
  const { gateway, tunnel, ended, events, arrived } = await open(t);
  await gateway.hello(tunnel);
  const arrival = arrived();
  const stream = openCall(tunnel.session, WAIT);
  stream.end(frameMessage(Buffer.alloc(0)));
  const answer = answerOf(stream);
  answer.catch(() => undefined);
  const call = await arrival;
  const aborted = once(call.signal, 'abort');
  tunnel.socket.destroy();
  await Promise.all([ended, aborted]);
  t.same(events, ['serving', 'retired']);
  await t.rejects(answer);
});

t.test('what is no gRPC, or no method, gets an answer', async (t) => {
  const { gateway, tunnel } = await open(t);
  await gateway.hello(tunnel);
  await t.rejects(callUnary(tunnel.session, `${FLIGHT_SERVICE_PATH}Nothing`, Buffer.alloc(0)), { code: 'unimplemented' });
  const stream = tunnel.session.request({ ':method': 'POST', ':path': ECHO, 'content-type': 'text/plain' });
  const [headers] = await once(stream, 'response');
  t.equal(headers[':status'], 415);
  stream.resume();
});

t.test('a peer that resets the connection while a write waits is noticed at once', async (t) => {
  const link = await BrokenLink.listen(t);
  const { gateway, tunnel, ended, events, arrived } = await open(t, (address) => link.to(address));
  await gateway.hello(tunnel);
  const arrival = arrived();
  openCall(tunnel.session, WAIT).end(frameMessage(Buffer.alloc(0)));
  const call = await arrival;
  link.stopReading();
  // More than the kernel takes for a peer that does not read.
  const begun = Promise.withResolvers<void>();
  for (let sent = 0; sent < FLOOD_MESSAGES; sent += 1) {
    void call.out.send(frameMessage(Buffer.alloc(256 * 1024)), begun.resolve);
  }
  await begun.promise;
  // What arrives while a write is in progress makes node:http2 stop reading.
  const passedOn = link.passedOn();
  tunnel.session.ping(() => undefined);
  await passedOn;
  link.reset();
  await ended;
  t.same(events, ['serving', 'retired']);
  t.equal(call.signal.aborted, true);
});
