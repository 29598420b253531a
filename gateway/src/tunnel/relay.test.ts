import { once } from 'node:events';
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { encodeFlightDescriptor, encodeTicket } from '@jetbridge/proto/flight';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import t from 'tap';
import { RELAY_LIMITS, TUNNEL_LIMITS } from '../limits.ts';
import { answer, answered, basic, call, closed, startMesh } from '../testing/mesh.ts';
import { streamsOf } from '../testing/streams.ts';

const DESCRIPTOR = frameMessage(encodeFlightDescriptor({ type: 'CMD', cmd: Buffer.from('any'), path: [] }));
const TICKET = frameMessage(encodeTicket({ ticket: Buffer.from('any') }));
const HEADERS = { ':status': 200, 'content-type': 'application/grpc' };

async function bodyOf(stream: ServerHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

t.test('a call passes unchanged, with the headers each side may see', async (t) => {
  const mesh = await startMesh(t);
  const streams = streamsOf();
  const { workerId } = await mesh.startWorker({ serve: streams.serve });
  const request = call(mesh.connectClient(), 'GetFlightInfo', {
    authorization: basic('ada', 'pass:word'),
    cookie: 'a=b',
    'x-jetbridge-principal': 'prn_forged',
    'X-Jetbridge-Roles': 'admin',
    'x-jetbridge-anything': 'forged',
    'custom-bin': 'AAEC',
    'x-request': 'kept',
  });
  request.end(DESCRIPTOR);
  const given = await streams.next();
  const received = await bodyOf(given.stream);
  t.same(received, DESCRIPTOR);
  const { headers } = given;
  t.equal(headers['x-jetbridge-principal'], mesh.control.principal.id);
  t.equal(headers['x-jetbridge-principal-name'], 'ada');
  t.equal(headers['x-jetbridge-roles'], 'admin,member');
  t.equal(headers['x-jetbridge-gateway'], mesh.gatewayId);
  t.match(headers['x-jetbridge-session'], /^ses_/);
  t.match(headers['x-jetbridge-statement'], /^stm_/);
  t.equal(headers['x-jetbridge-anything'], undefined);
  t.equal(headers.authorization, undefined);
  t.equal(headers.cookie, undefined);
  t.equal(headers['custom-bin'], 'AAEC');
  t.equal(headers['x-request'], 'kept');
  t.equal(headers.te, 'trailers');

  const message = Buffer.from('a message');
  given.stream.respond({ ...HEADERS, 'x-reply': 'kept', 'x-jetbridge-inner': 'secret', date: 'yesterday' }, { waitForTrailers: true });
  given.stream.once('wantTrailers', () =>
    given.stream.sendTrailers({
      'grpc-status': '0',
      'details-bin': 'AQID',
      'x-jetbridge-rows': '7',
      'x-jetbridge-bytes': '70',
      'x-jetbridge-engine-us': '700',
    }),
  );
  given.stream.end(frameMessage(message));
  const reply = await answered(request);
  t.same(reply.body, frameMessage(message));
  t.equal(reply.headers?.['x-reply'], 'kept');
  t.equal(reply.headers?.['x-jetbridge-inner'], undefined);
  t.not(reply.headers?.date, 'yesterday');
  t.same(Object.entries(reply.trailers ?? {}), [
    ['grpc-status', '0'],
    ['details-bin', 'AQID'],
  ]);

  const logged = mesh.logs.find(({ msg }) => msg === 'call relayed');
  t.match(logged, { method: 'GetFlightInfo', workerId, rows: 7, bytes: 70, engineMicros: 700, status: 0, end: 'completed' });
  t.match(await mesh.metrics.registry.metrics(), /jetbridge_gateway_rows_total 7/);
});

t.test('a status without messages stays one header block', async (t) => {
  const mesh = await startMesh(t);
  await mesh.startWorker({
    serve: (stream) =>
      stream.respond({ ...HEADERS, 'grpc-status': '5', 'grpc-message': 'not here', 'x-jetbridge-rows': '1' }, { endStream: true }),
  });
  const request = call(mesh.connectClient(), 'GetFlightInfo');
  request.end(DESCRIPTOR);
  const reply = await answered(request);
  t.equal(reply.headers?.['grpc-status'], '5');
  t.equal(reply.headers?.['grpc-message'], 'not here');
  t.equal(reply.headers?.['x-jetbridge-rows'], undefined);
  t.equal(reply.trailers, undefined);
  t.match(mesh.outcomes, [{ end: 'completed', status: 5 }]);
});

t.test('many messages arrive in order and whole', async (t) => {
  const mesh = await startMesh(t);
  const messages = Array.from({ length: 300 }, (_, index) => Buffer.alloc(index * 50, index));
  await mesh.startWorker({ serve: (stream) => answer(stream, messages) });
  const request = call(mesh.connectClient(), 'DoGet');
  request.end(TICKET);
  const reply = await answered(request);
  t.ok(reply.body.equals(Buffer.concat(messages.map((message) => frameMessage(message)))));
  t.equal(reply.trailers?.['grpc-status'], '0');
});

t.test('an upload streams, and an early answer ends it', async (t) => {
  const mesh = await startMesh(t);
  const streams = streamsOf();
  await mesh.startWorker({ serve: streams.serve });
  const first = frameMessage(Buffer.alloc(0));
  const rest = frameMessage(Buffer.alloc(3_000_000, 5));

  const whole = call(mesh.connectClient(), 'DoPut');
  whole.write(first);
  whole.end(rest);
  const given = await streams.next();
  t.equal((await bodyOf(given.stream)).length, first.length + rest.length);
  answer(given.stream, [Buffer.from('done')]);
  t.equal((await answered(whole)).trailers?.['grpc-status'], '0');

  const early = call(mesh.connectClient(), 'DoPut');
  early.write(first);
  const { stream } = await streams.next();
  answer(stream, [], { 'grpc-status': '3', 'grpc-message': 'no' });
  const [trailers] = (await Promise.all([once(early.resume(), 'trailers'), closed(stream)]))[0] as [IncomingHttpHeaders];
  t.equal(trailers['grpc-status'], '3');
  early.end();
});

t.test('an exchange in turns waits for nothing', async (t) => {
  const mesh = await startMesh(t);
  await mesh.startWorker({
    serve: (stream) => {
      stream.respond(HEADERS, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.once('data', () => stream.on('data', (chunk: Buffer) => stream.write(chunk)));
      stream.on('end', () => stream.end());
    },
  });
  const exchange = call(mesh.connectClient(), 'DoExchange');
  exchange.write(frameMessage(Buffer.alloc(0)));
  await once(exchange, 'response');
  const part = Buffer.from([0, 0, 0]);
  const echoed: Buffer[] = [];
  exchange.on('data', (chunk: Buffer) => echoed.push(chunk));
  exchange.write(part);
  await once(exchange, 'data');
  t.same(Buffer.concat(echoed), part, 'part of a message travels on');
  exchange.close(constants.NGHTTP2_CANCEL);
});

t.test('a stalled reader holds no more than its windows and slows nobody', async (t) => {
  const mesh = await startMesh(t);
  const streams = streamsOf();
  await mesh.startWorker({ serve: streams.serve });
  const client = mesh.connectClient();
  await once(client, 'connect');

  const stalled = call(client, 'DoGet');
  stalled.end(TICKET);
  const given = await streams.next();
  given.stream.respond(HEADERS, { waitForTrailers: true });
  const chunk = frameMessage(Buffer.alloc(100_000));
  let sentBytes = 0;
  // Writes one by one, as long as HTTP/2 takes them.
  const pump = (): void => {
    given.stream.write(chunk, (error) => {
      if (!error && !given.stream.destroyed) {
        sentBytes += chunk.length;
        pump();
      }
    });
  };
  pump();
  await once(stalled, 'response');
  stalled.pause();

  // A second stream in the same tunnel and on the same connection moves 20 MB past the stalled one.
  const total = 200;
  const second = call(client, 'DoGet');
  second.end(TICKET);
  const other = await streams.next();
  answer(
    other.stream,
    Array.from({ length: total }, () => Buffer.alloc(100_000)),
  );
  const reply = await answered(second);
  t.equal(reply.body.length, total * 100_005);
  const clientWindow = client.localSettings.initialWindowSize ?? 65_535;
  const most = TUNNEL_LIMITS.http2.streamWindowBytes + RELAY_LIMITS.coalesceBytes + clientWindow + 2 * chunk.length + 65_536;
  t.ok(sentBytes <= most, `${sentBytes} bytes were taken, at most ${most} may be`);
  t.ok(sentBytes > 500_000, 'the worker did not wait for nothing');
  stalled.close(constants.NGHTTP2_CANCEL);
  await closed(given.stream);
  t.match(
    mesh.outcomes.find(({ end }) => end !== 'completed'),
    { end: 'client_gone', status: 1 },
  );
});

t.test('a stalled worker stalls the upload', async (t) => {
  const mesh = await startMesh(t);
  const streams = streamsOf();
  await mesh.startWorker({ serve: streams.serve });
  const client = mesh.connectClient();
  const upload = call(client, 'DoPut');
  upload.write(frameMessage(Buffer.alloc(0)));
  const { stream } = await streams.next();
  stream.pause();
  let takenBytes = 0;
  const chunk = Buffer.alloc(64_000);
  let wake: () => void = () => undefined;
  const idle = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  const pump = (): void => {
    upload.write(chunk, (error) => {
      if (!error) {
        takenBytes += chunk.length;
        wake();
        pump();
      }
    });
  };
  pump();
  // Other calls go on meanwhile: each is a turn in which the upload could have moved.
  for (let turn = 0; turn < 30; turn += 1) {
    const ping = call(client, 'ListActions');
    ping.end();
    answer((await streams.next()).stream, []);
    await answered(ping);
  }
  // What a peer advertises is one window per hop; 65,535 is the test worker's.
  const most = 1024 * 1024 + 65_535 + RELAY_LIMITS.coalesceBytes + 200_000;
  t.ok(takenBytes <= most, `${takenBytes} bytes were taken, at most ${most} may be`);
  const before = takenBytes;
  const moved = idle();
  stream.resume();
  await moved;
  t.ok(takenBytes > before);
  upload.close(constants.NGHTTP2_CANCEL);
  await closed(stream);
});
