import { once } from 'node:events';
import { connect, constants, type ServerHttp2Stream } from 'node:http2';
import { encodeFlightDescriptor } from '@jetbridge/proto/flight';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { StatusError } from '@jetbridge/proto/status-error';
import t from 'tap';
import { FLIGHT_LIMITS } from '../limits.ts';
import { ask, statusOf } from '../testing/ask.ts';
import { freezableLink } from '../testing/freezable-link.ts';
import { answer, answered, call, closed, startMesh } from '../testing/mesh.ts';

const DESCRIPTOR = frameMessage(encodeFlightDescriptor({ type: 'CMD', cmd: Buffer.from('any'), path: [] }));

t.test('a client that falls silent is let go', async (t) => {
  const mesh = await startMesh(t, {
    flight: { http2: { ...FLIGHT_LIMITS.http2, keepalive: { pingIntervalMs: 20, pingTimeoutMs: 60 } } },
  });
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<ServerHttp2Stream>();
  await mesh.startWorker({ serve: arrive });
  const link = await freezableLink(t, mesh.port);
  const client = connect(`https://localhost:${link.port}`, { ca: mesh.caPem });
  client.on('error', () => undefined);
  await once(client, 'connect');
  const stream = call(client, 'ListActions');
  stream.end();
  const atWorker = await arrived;
  link.freeze();
  await closed(atWorker);
  t.match(mesh.outcomes, [{ end: 'client_gone' }]);
  client.destroy();
});

t.test('draining lets running calls finish and takes no new ones', async (t) => {
  const mesh = await startMesh(t);
  let finish: () => void = () => undefined;
  await mesh.startWorker({
    serve: (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.write(frameMessage(Buffer.from('part')));
      finish = () => stream.end();
    },
  });
  const client = mesh.connectClient();
  const running = call(client, 'ListActions');
  running.end();
  const reply = answered(running);
  await once(running, 'data');
  const drained = mesh.flight.drain(new AbortController().signal);
  await once(client, 'goaway');
  t.equal((await answered(call(client, 'ListActions'))).headers, undefined);
  finish();
  t.equal(statusOf(await reply), '0');
  await drained;
  t.equal(mesh.flight.connections, 0);
});

t.test('calls that are reset as soon as they are made', async (t) => {
  const mesh = await startMesh(t);
  await mesh.startWorker({ serve: (stream) => answer(stream, [Buffer.alloc(10)]) });
  const client = mesh.connectClient();
  await once(client, 'connect');
  const streams = Array.from({ length: 60 }, (_, index) => {
    const stream = call(client, ['ListActions', 'Handshake', 'GetFlightInfo', 'Nothing'][index % 4] as string);
    stream.end(index % 4 === 2 ? DESCRIPTOR : undefined);
    // In one read with the headers, in the next, and somewhere between the first message and the answer.
    const reset = (): void => stream.close(constants.NGHTTP2_CANCEL);
    [reset, () => setImmediate(reset), () => client.ping(reset)][index % 3]?.();
    return stream.resume();
  });
  await Promise.all(streams.map(closed));
  t.equal(statusOf(await ask(mesh, 'ListActions', undefined)), '0');
});

t.test('a client that leaves while it is being verified', async (t) => {
  const mesh = await startMesh(t);
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<never>();
  mesh.control.authenticate = () => {
    asked.resolve();
    return answer.promise;
  };
  const client = mesh.connectClient();
  const stream = call(client, 'ListActions');
  stream.end();
  await asked.promise;
  stream.close(constants.NGHTTP2_CANCEL);
  // Its acknowledgement comes back after the reset was read.
  await new Promise((resolve) => client.ping(resolve));
  answer.reject(new StatusError('unauthenticated', 'too late to tell'));
  t.equal(statusOf(await ask(mesh, 'ListActions', undefined, {})), '16', 'the gateway goes on');
});
