// How a real gRPC client reads what the relay does: @grpc/grpc-js over TLS.
import { once } from 'node:events';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { type CallOptions, Client, type ClientReadableStream, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { encodeFlightDescriptor, encodeTicket, FLIGHT_SERVICE_PATH } from '@jetbridge/proto/flight';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import t, { type Test } from 'tap';
import { answer, basic, closed, type Mesh, startMesh } from '../testing/mesh.ts';

const DESCRIPTOR = encodeFlightDescriptor({ type: 'CMD', cmd: Buffer.from('any'), path: [] });
const TICKET = encodeTicket({ ticket: Buffer.from('any') });
const same = (bytes: Buffer): Buffer => bytes;

function clientOf(t: Test, mesh: Mesh): Client {
  const client = new Client(`localhost:${mesh.port}`, credentials.createSsl(Buffer.from(mesh.caPem)));
  t.teardown(() => client.close());
  return client;
}

function metadata(): Metadata {
  const given = new Metadata();
  given.set('authorization', basic('ada', 'pass:word'));
  return given;
}

function unary(client: Client, options: CallOptions = {}): Promise<{ reply?: Buffer; error?: ServiceError }> {
  return new Promise((resolve) => {
    client.makeUnaryRequest(`${FLIGHT_SERVICE_PATH}GetFlightInfo`, same, same, DESCRIPTOR, metadata(), options, (error, reply) => {
      resolve({ ...(error === null ? {} : { error }), ...(reply === undefined ? {} : { reply }) });
    });
  });
}

function get(client: Client): ClientReadableStream<Buffer> {
  return client.makeServerStreamRequest(`${FLIGHT_SERVICE_PATH}DoGet`, same, same, TICKET, metadata());
}

async function collected(stream: ClientReadableStream<Buffer>): Promise<{ messages: Buffer[]; code: number; trailers: Metadata }> {
  const messages: Buffer[] = [];
  stream.on('data', (message: Buffer) => messages.push(message));
  stream.on('error', () => undefined);
  const given = await new Promise<{ code: number; metadata: Metadata }>((resolve) => stream.on('status', resolve));
  return { messages, code: given.code, trailers: given.metadata };
}

t.test('unary, with an answer and with an error', async (t) => {
  const mesh = await startMesh(t);
  let fails = false;
  await mesh.startWorker({
    serve: (stream) => (fails ? answer(stream, [], { 'grpc-status': '3', 'grpc-message': 'a%20b' }) : answer(stream, [Buffer.from('yes')])),
  });
  const client = clientOf(t, mesh);
  t.equal((await unary(client)).reply?.toString(), 'yes');
  fails = true;
  const { error } = await unary(client);
  t.equal(error?.code, status.INVALID_ARGUMENT);
  t.equal(error?.details, 'a b');
});

t.test('a stream of messages, its trailers, and an error after some of them', async (t) => {
  const mesh = await startMesh(t);
  let trailers: Record<string, string> = { 'grpc-status': '0', 'extra-bin': 'AQID', 'x-jetbridge-rows': '3' };
  const sent = Array.from({ length: 50 }, (_, index) => Buffer.alloc(20_000, index));
  await mesh.startWorker({ serve: (stream) => answer(stream, sent, trailers) });
  const client = clientOf(t, mesh);
  const whole = await collected(get(client));
  t.ok(Buffer.concat(whole.messages).equals(Buffer.concat(sent)));
  t.same(whole.trailers.get('extra-bin'), [Buffer.from([1, 2, 3])]);
  t.same(whole.trailers.get('x-jetbridge-rows'), []);
  trailers = { 'grpc-status': '13', 'grpc-message': 'boom' };
  const cut = await collected(get(client));
  t.equal(cut.code, status.INTERNAL);
  t.equal(cut.messages.length, sent.length);
});

t.test('an upload', async (t) => {
  const mesh = await startMesh(t);
  let receivedBytes = 0;
  await mesh.startWorker({
    serve: (stream) => {
      stream.on('data', (chunk: Buffer) => {
        receivedBytes += chunk.length;
      });
      stream.on('end', () => answer(stream, [Buffer.from(String(receivedBytes))]));
    },
  });
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const upload = clientOf(t, mesh).makeClientStreamRequest(`${FLIGHT_SERVICE_PATH}DoPut`, same, same, metadata(), (_error, reply) =>
    resolve(reply),
  );
  upload.write(Buffer.alloc(0));
  for (let message = 0; message < 20; message += 1) {
    upload.write(Buffer.alloc(100_000));
  }
  upload.end();
  t.equal((await promise)?.toString(), String(5 + 20 * 100_005));
});

t.test('an upload that the worker refuses early', async (t) => {
  const mesh = await startMesh(t);
  await mesh.startWorker({ serve: (stream) => answer(stream, [], { 'grpc-status': '6', 'grpc-message': 'exists' }) });
  const { promise, resolve } = Promise.withResolvers<ServiceError | null>();
  const upload = clientOf(t, mesh).makeClientStreamRequest(`${FLIGHT_SERVICE_PATH}DoPut`, same, same, metadata(), (error) =>
    resolve(error),
  );
  upload.write(Buffer.alloc(0));
  for (let message = 0; message < 20; message += 1) {
    upload.write(Buffer.alloc(100_000));
  }
  t.equal((await promise)?.code, status.ALREADY_EXISTS);
});

t.test('cancel and deadline reach the worker', async (t) => {
  const mesh = await startMesh(t);
  let arrived = Promise.withResolvers<ServerHttp2Stream>();
  await mesh.startWorker({ serve: (stream) => arrived.resolve(stream) });
  const client = clientOf(t, mesh);
  const running = get(client);
  const outcome = collected(running);
  const first = await arrived.promise;
  running.cancel();
  await closed(first);
  t.equal(first.rstCode, constants.NGHTTP2_CANCEL);
  t.equal((await outcome).code, status.CANCELLED);

  arrived = Promise.withResolvers();
  const late = unary(client, { deadline: Date.now() + 80 });
  const second = await arrived.promise;
  t.equal((await late).error?.code, status.DEADLINE_EXCEEDED);
  await closed(second);
  t.equal(second.rstCode, constants.NGHTTP2_CANCEL);
});

t.test('a lost tunnel reads as UNAVAILABLE, wherever it breaks', async (t) => {
  const mesh = await startMesh(t);
  const message = frameMessage(Buffer.alloc(1_000));
  for (const [where, sent] of [
    ['before the headers', undefined],
    ['before the first message', Buffer.alloc(0)],
    ['within the first message', message.subarray(0, 600)],
    ['between messages', message],
    ['within a message', Buffer.concat([message, message.subarray(0, 3)])],
    ['within a large message', Buffer.concat([message, frameMessage(Buffer.alloc(400_000)).subarray(0, 300_000)])],
  ] as const) {
    await t.test(where, async (t) => {
      const arrived = Promise.withResolvers<ServerHttp2Stream>();
      const worker = await mesh.startWorker({ serve: (stream) => arrived.resolve(stream) });
      const outcome = collected(get(clientOf(t, mesh)));
      const stream = await arrived.promise;
      if (sent !== undefined) {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        await new Promise((resolve) => stream.write(sent, resolve));
        await new Promise((resolve) => worker.session.ping(resolve));
      }
      worker.socket.destroy();
      t.equal((await outcome).code, status.UNAVAILABLE);
    });
  }
  t.ok(mesh.outcomes.every(({ end }) => end === 'worker_lost'));
});

t.test('a reader that pauses and goes on gets everything', async (t) => {
  const mesh = await startMesh(t);
  const sent = Array.from({ length: 60 }, (_, index) => Buffer.alloc(100_000, index));
  await mesh.startWorker({ serve: (stream) => answer(stream, sent) });
  const stream = get(clientOf(t, mesh));
  const messages: Buffer[] = [];
  stream.on('data', (message: Buffer) => {
    messages.push(message);
    stream.pause();
    setImmediate(() => stream.resume());
  });
  await once(stream, 'end');
  t.ok(Buffer.concat(messages).equals(Buffer.concat(sent)));
});
