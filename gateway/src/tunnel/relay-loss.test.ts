// How calls end that do not end well.
import { once } from 'node:events';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { encodeFlightDescriptor, encodeTicket } from '@jetbridge/proto/flight';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import t from 'tap';
import { answered, basic, call, closed, startMesh } from '../testing/mesh.ts';
import { streamsOf } from '../testing/streams.ts';

const DESCRIPTOR = frameMessage(encodeFlightDescriptor({ type: 'CMD', cmd: Buffer.from('any'), path: [] }));
const TICKET = frameMessage(encodeTicket({ ticket: Buffer.from('any') }));
const HEADERS = { ':status': 200, 'content-type': 'application/grpc' };

t.test('a client that leaves resets the worker at once', async (t) => {
  const mesh = await startMesh(t);
  const streams = streamsOf();
  await mesh.startWorker({ serve: streams.serve });
  await t.test('by reset, before any answer', async (t) => {
    const request = call(mesh.connectClient(), 'GetFlightInfo');
    request.end(DESCRIPTOR);
    const { stream } = await streams.next();
    request.close(constants.NGHTTP2_CANCEL);
    await closed(stream);
    t.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
  });
  await t.test('by connection, in mid-stream', async (t) => {
    const client = mesh.connectClient();
    const request = call(client, 'DoGet');
    request.end(TICKET);
    const { stream } = await streams.next();
    stream.respond(HEADERS, { waitForTrailers: true });
    stream.write(frameMessage(Buffer.alloc(10)));
    await once(request, 'data');
    client.destroy();
    await closed(stream);
    t.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
    t.match(mesh.outcomes.at(-1), { end: 'client_gone', status: 1 });
  });
});

t.test('a tunnel that dies', async (t) => {
  const mesh = await startMesh(t);
  const kill = async (prepare: (stream: ServerHttp2Stream) => void, seen: 'nothing' | 'data') => {
    const streams = streamsOf();
    const worker = await mesh.startWorker({ serve: streams.serve });
    const request = call(mesh.connectClient(), 'DoGet');
    const reply = answered(request);
    request.end(TICKET);
    const { stream } = await streams.next();
    prepare(stream);
    if (seen === 'data') {
      await once(request, 'data');
    }
    worker.socket.destroy();
    return reply;
  };
  await t.test('before the headers: a status alone', async (t) => {
    const reply = await kill(() => undefined, 'nothing');
    t.equal(reply.headers?.['grpc-status'], '14');
    t.equal(reply.trailers, undefined);
  });
  await t.test('between two messages: a status in the trailers', async (t) => {
    const message = frameMessage(Buffer.alloc(1000));
    const reply = await kill((stream) => {
      stream.respond(HEADERS, { waitForTrailers: true });
      stream.write(message);
    }, 'data');
    t.same(reply.body, message);
    t.equal(reply.trailers?.['grpc-status'], '14');
  });
  await t.test('within a message: a reset that reads as UNAVAILABLE', async (t) => {
    const reply = await kill((stream) => {
      stream.respond(HEADERS, { waitForTrailers: true });
      stream.write(frameMessage(Buffer.alloc(1000)));
      stream.write(frameMessage(Buffer.alloc(1000)).subarray(0, 500));
    }, 'data');
    t.equal(reply.trailers, undefined);
    t.equal(reply.rstCode, constants.NGHTTP2_REFUSED_STREAM);
  });
  await t.test('within the first message: a status alone, so that nobody repeats the call', async (t) => {
    const streams = streamsOf();
    const worker = await mesh.startWorker({ serve: streams.serve });
    const request = call(mesh.connectClient(), 'GetFlightInfo');
    const reply = answered(request);
    request.end(DESCRIPTOR);
    const { stream } = await streams.next();
    stream.respond(HEADERS, { waitForTrailers: true });
    stream.write(frameMessage(Buffer.alloc(1000)).subarray(0, 500), () => worker.socket.destroy());
    const { headers, body, trailers } = await reply;
    t.equal(headers?.['grpc-status'], '14');
    t.equal(body.length, 0);
    t.equal(trailers, undefined);
  });
  t.ok(mesh.outcomes.every(({ end, status }) => end === 'worker_lost' && status === 14));
});

t.test('a worker that ends without a status', async (t) => {
  const mesh = await startMesh(t);
  const streams = streamsOf();
  await mesh.startWorker({ serve: streams.serve });
  const start = async () => {
    const request = call(mesh.connectClient(), 'DoGet');
    const reply = answered(request);
    request.end(TICKET);
    return { reply, stream: (await streams.next()).stream };
  };
  await t.test('after a message', async (t) => {
    const { reply, stream } = await start();
    stream.respond(HEADERS);
    stream.end(frameMessage(Buffer.alloc(3)));
    t.equal((await reply).trailers?.['grpc-status'], '14');
  });
  await t.test('with headers alone', async (t) => {
    const { reply, stream } = await start();
    stream.respond(HEADERS, { endStream: true });
    t.equal((await reply).headers?.['grpc-status'], '14');
  });
  await t.test('within a message, though with trailers', async (t) => {
    const { reply, stream } = await start();
    stream.respond(HEADERS, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.write(frameMessage(Buffer.alloc(3)));
    stream.end(frameMessage(Buffer.alloc(300)).subarray(0, 30));
    const { trailers, rstCode } = await reply;
    t.not(trailers?.['grpc-status'], '0');
    t.ok(trailers?.['grpc-status'] === '14' || rstCode === constants.NGHTTP2_REFUSED_STREAM);
  });
  for (const [code, status] of [
    [constants.NGHTTP2_INTERNAL_ERROR, '13'],
    [constants.NGHTTP2_REFUSED_STREAM, '14'],
    [constants.NGHTTP2_ENHANCE_YOUR_CALM, '8'],
    [constants.NGHTTP2_CANCEL, '1'],
  ] as const) {
    await t.test(`by a reset with code ${code}`, async (t) => {
      const { reply, stream } = await start();
      stream.close(code);
      t.equal((await reply).headers?.['grpc-status'], status);
    });
  }
});

t.test("the client's deadline is passed on and kept", async (t) => {
  const mesh = await startMesh(t, { relay: { deadlineGraceMs: 5 } });
  const streams = streamsOf();
  await mesh.startWorker({ serve: streams.serve });
  const request = call(mesh.connectClient(), 'GetFlightInfo', { authorization: basic('ada', 'pass:word'), 'grpc-timeout': '50m' });
  const reply = answered(request);
  request.end(DESCRIPTOR);
  const { stream, headers } = await streams.next();
  t.equal(headers['grpc-timeout'], '50m');
  const [{ headers: status }] = await Promise.all([reply, closed(stream)]);
  t.equal(status?.['grpc-status'], '4');
  t.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
});

t.test('a deadline frees the worker, even while the client reads nothing', async (t) => {
  const mesh = await startMesh(t, { relay: { deadlineGraceMs: 5 } });
  const streams = streamsOf();
  await mesh.startWorker({ serve: streams.serve });
  const request = call(mesh.connectClient(), 'DoGet', { authorization: basic('ada', 'pass:word'), 'grpc-timeout': '80m' });
  request.end(TICKET);
  const { stream } = await streams.next();
  // More than the client's window, and a whole message: the status has to wait behind it.
  stream.respond(HEADERS, { waitForTrailers: true });
  stream.write(frameMessage(Buffer.alloc(100_000)));
  await once(request, 'response');
  request.pause();
  await closed(stream);
  t.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
  request.resume();
  await closed(request);
  t.match(mesh.outcomes, [{ end: 'deadline', status: 4 }]);
});
