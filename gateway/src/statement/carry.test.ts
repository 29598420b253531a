import { type ClientHttp2Session, constants, type ServerHttp2Stream } from 'node:http2';
import { encodeFlightDescriptor } from '@jetbridge/proto/flight';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { newId } from '@jetbridge/proto/ids';
import t, { type Test } from 'tap';
import { messageOf, statusOf } from '../testing/ask.ts';
import { actionRequest, doGetRequest, flightInfoMessage, flightInfoOf, handleOf } from '../testing/flight-messages.ts';
import { type Answer, answer, answered, call, closed, type Mesh, type MeshOptions, startMesh } from '../testing/mesh.ts';
import { streamsOf } from '../testing/streams.ts';

const DESCRIPTOR = frameMessage(encodeFlightDescriptor({ type: 'CMD', cmd: Buffer.from('any'), path: [] }));
const ROWS = [Buffer.from('schema'), Buffer.from('batch')];
const FRAMED = Buffer.concat(ROWS.map((message) => frameMessage(message)));
const COMPLETE = { 'grpc-status': '0', 'x-jetbridge-carried': 'complete', 'x-jetbridge-rows': '7', 'x-jetbridge-engine-us': '5' };

interface Setting {
  readonly mesh: Mesh;
  readonly workerId: string;
  readonly handle: Buffer;
  readonly client: ClientHttp2Session;
  readonly worker: ReturnType<typeof streamsOf>;
}

async function open(t: Test, options: MeshOptions = {}): Promise<Setting> {
  const mesh = await startMesh(t, { carry: {}, ...options });
  const worker = streamsOf();
  const { workerId } = await mesh.startWorker({ serve: worker.serve });
  return { mesh, workerId, handle: handleOf(workerId), client: mesh.connectClient(), worker };
}

function ask(client: ClientHttp2Session, method: string, body: Buffer, headers?: Record<string, string>): Promise<Answer> {
  const stream = call(client, method, headers && { ...headers, authorization: 'Basic YWRhOnBhc3M6d29yZA==' });
  stream.end(body);
  return answered(stream);
}

/** The FlightInfo only, with the stream still open. */
function beginAnswer(stream: ServerHttp2Stream, message: Buffer): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.write(frameMessage(message));
}

function endWith(stream: ServerHttp2Stream, trailers: Record<string, string>, bytes: Buffer = Buffer.alloc(0)): void {
  stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(bytes);
}

function eventually(condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => void (condition() ? resolve() : setImmediate(look));
    look();
  });
}

t.test('a small result rides along, and its DoGet opens no stream in the tunnel', async (t) => {
  const { mesh, handle, client, worker } = await open(t);
  const described = ask(client, 'GetFlightInfo', DESCRIPTOR, { 'x-jetbridge-carry': '9' });
  const { stream, headers } = await worker.next();
  t.equal(headers['x-jetbridge-carry'], String(64 * 1024), "the gateway's word, not the client's");
  answer(stream, [flightInfoMessage(handle), ...ROWS], COMPLETE);
  const reply = await described;
  t.equal(statusOf(reply), '0');
  t.ok(reply.body.equals(frameMessage(flightInfoMessage(handle))), 'the FlightInfo and nothing else');
  t.same(
    Object.keys(reply.trailers ?? {}).filter((name) => name.startsWith('x-')),
    [],
  );
  await closed(stream);

  const rows = await ask(client, 'DoGet', doGetRequest(handle));
  t.equal(statusOf(rows), '0');
  t.ok(rows.body.equals(FRAMED));
  t.equal(mesh.tunnels.streams, 0);
  t.match(mesh.logs.at(-1), { method: 'DoGet', rows: 7, bytes: FRAMED.length, status: 0 });
  t.match(
    mesh.logs.find(({ method }) => method === 'GetFlightInfo'),
    { rows: 0, bytes: 0, engineMicros: 5 },
  );

  const again = ask(client, 'DoGet', doGetRequest(handle));
  answer((await worker.next()).stream, [Buffer.from('run again')]);
  t.equal((await again).body.subarray(5).toString(), 'run again');
});

t.test('the client has its FlightInfo before the rest; a DoGet that comes early waits for it', async (t) => {
  const { mesh, handle, client, worker } = await open(t);
  const describe = async (): Promise<ServerHttp2Stream> => {
    const described = ask(client, 'GetFlightInfo', DESCRIPTOR);
    const { stream } = await worker.next();
    beginAnswer(stream, flightInfoMessage(handle));
    t.equal(statusOf(await described), '0');
    return stream;
  };
  const whole = await describe();
  const rows = ask(client, 'DoGet', doGetRequest(handle));
  endWith(whole, COMPLETE, FRAMED);
  t.ok((await rows).body.equals(FRAMED));

  await t.test('and goes to the worker when there is nothing', async (t) => {
    const ends: ((stream: ServerHttp2Stream) => void)[] = [
      (stream) => endWith(stream, { 'grpc-status': '0', 'x-jetbridge-carried': 'none' }),
      (stream) => endWith(stream, { 'grpc-status': '0' }, FRAMED),
      (stream) => endWith(stream, { ...COMPLETE, 'grpc-status': '13' }, FRAMED),
      (stream) => endWith(stream, COMPLETE, FRAMED.subarray(0, -1)),
      (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
      (stream) => void stream.write(Buffer.alloc(64 * 1024 + 1)),
    ];
    for (const end of ends) {
      const stream = await describe();
      const relayed = ask(client, 'DoGet', doGetRequest(handle));
      end(stream);
      answer((await worker.next()).stream, [Buffer.from('from the worker')]);
      t.equal((await relayed).body.subarray(5).toString(), 'from the worker');
    }
  });

  await t.test('or gives up with its client, or at its deadline', async (t) => {
    const stream = await describe();
    const late = await ask(client, 'DoGet', doGetRequest(handle), { 'grpc-timeout': '1m' });
    t.equal(statusOf(late), '4');
    endWith(stream, COMPLETE, FRAMED);
    const other = await describe();
    const leaving = call(client, 'DoGet');
    leaving.write(doGetRequest(handle));
    await eventually(() => mesh.carried.size === 0);
    leaving.close(constants.NGHTTP2_CANCEL);
    await closed(leaving);
    endWith(other, COMPLETE, FRAMED);
    await eventually(() => mesh.carried.bytes === 0);
  });
});

t.test('nobody else is served', async (t) => {
  const { mesh, handle, client, worker } = await open(t);
  const carry = async (): Promise<void> => {
    const described = ask(client, 'GetFlightInfo', DESCRIPTOR);
    const { stream } = await worker.next();
    answer(stream, [flightInfoMessage(handle), ...ROWS], COMPLETE);
    await described;
    await closed(stream);
    t.equal(mesh.carried.size, 1);
  };
  const goesToWorker = async (t: Test, session: ClientHttp2Session, name: string): Promise<void> => {
    const rows = ask(session, 'DoGet', doGetRequest(handle));
    answer((await worker.next()).stream, [Buffer.from('from the worker')]);
    t.equal((await rows).body.subarray(5).toString(), 'from the worker', name);
  };
  const act = async (body: Buffer): Promise<void> => {
    const acted = ask(client, 'DoAction', body);
    answer((await worker.next()).stream, []);
    t.equal(statusOf(await acted), '0');
  };
  await carry();
  await goesToWorker(t, mesh.connectClient(), 'another session');
  await act(actionRequest({ kind: 'cancel_flight_info', flightInfo: flightInfoOf(handle) }));
  await goesToWorker(t, client, 'after CancelFlightInfo');
  await carry();
  await act(actionRequest({ kind: 'cancel_query', flightInfo: flightInfoOf(handle) }));
  await goesToWorker(t, client, 'after CancelQuery');
  await carry();
  await act(actionRequest({ kind: 'close_session' }));
  await goesToWorker(t, client, 'after CloseSession');
  t.equal(mesh.carried.bytes, 0);
});

t.test("a handle that names another worker is not this worker's to give", async (t) => {
  const { mesh, client, worker } = await open(t);
  const described = ask(client, 'GetFlightInfo', DESCRIPTOR);
  const { stream } = await worker.next();
  answer(stream, [flightInfoMessage(handleOf(newId('wkr'))), ...ROWS], COMPLETE);
  t.equal(statusOf(await described), '0');
  await closed(stream);
  await eventually(() => mesh.carried.size === 0 && mesh.carried.bytes === 0);
});

t.test('without room nothing is asked for', async (t) => {
  const { client, worker } = await open(t, { carry: { principalBytes: 0 } });
  const described = ask(client, 'GetFlightInfo', DESCRIPTOR);
  const { stream, headers } = await worker.next();
  t.equal(headers['x-jetbridge-carry'], undefined);
  answer(stream, []);
  t.equal(statusOf(await described), '0');
});

t.test('a worker that does not come to an end is cut off', async (t) => {
  const { mesh, handle, client, worker } = await open(t, { carry: { tailTimeoutMs: 1 } });
  const described = ask(client, 'GetFlightInfo', DESCRIPTOR);
  const { stream } = await worker.next();
  beginAnswer(stream, flightInfoMessage(handle));
  t.equal(statusOf(await described), '0');
  await closed(stream);
  t.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
  t.same([mesh.carried.size, mesh.carried.bytes], [0, 0]);
});

t.test('what the relay promises', async (t) => {
  const { mesh, handle, client, worker } = await open(t, { relay: { deadlineGraceMs: 0 } });
  await t.test('a FlightInfo of thousands of columns arrives whole', async (t) => {
    for (const size of [200_000, 5_000_000]) {
      const message = flightInfoMessage(handle, Buffer.alloc(size, 'x'));
      const described = ask(client, 'GetFlightInfo', DESCRIPTOR);
      const { stream } = await worker.next();
      answer(stream, [message, ...ROWS], COMPLETE);
      const reply = await described;
      t.equal(statusOf(reply), '0');
      t.ok(reply.body.equals(frameMessage(message)));
      await closed(stream);
      mesh.carried.forget(handle, mesh.control.principal.id);
      await eventually(() => mesh.carried.bytes === 0);
    }
  });
  await t.test('errors stay one header block, statuses without messages stay what they are', async (t) => {
    const failing = ask(client, 'GetFlightInfo', DESCRIPTOR);
    (await worker.next()).stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5', 'grpc-message': 'not here', 'x-jetbridge-rows': '0' },
      { endStream: true },
    );
    const failed = await failing;
    t.same([failed.headers?.['grpc-status'], failed.headers?.['grpc-message'], failed.trailers], ['5', 'not here', undefined]);
    t.equal(failed.headers?.['x-jetbridge-rows'], undefined);
    const late = ask(client, 'GetFlightInfo', DESCRIPTOR);
    answer((await worker.next()).stream, [], { 'grpc-status': '8', 'grpc-message': 'full' });
    t.equal(statusOf(await late), '8');
  });
  await t.test('a message that is cut is an error', async (t) => {
    const cut = ask(client, 'GetFlightInfo', DESCRIPTOR);
    const { stream } = await worker.next();
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    endWith(stream, { 'grpc-status': '0' }, frameMessage(flightInfoMessage(handle)).subarray(0, -1));
    t.not(statusOf(await cut), '0');
  });
  await t.test('a deadline, kept', async (t) => {
    const described = ask(client, 'GetFlightInfo', DESCRIPTOR, { 'grpc-timeout': '1m' });
    const { stream } = await worker.next();
    t.equal(statusOf(await described), '4');
    await closed(stream);
  });
  await t.test('a client that goes away stops the worker', async (t) => {
    const leaving = call(client, 'GetFlightInfo');
    leaving.end(DESCRIPTOR);
    const { stream } = await worker.next();
    leaving.close(constants.NGHTTP2_CANCEL);
    await closed(stream);
    t.equal(stream.rstCode, constants.NGHTTP2_CANCEL);
    await eventually(() => mesh.carried.bytes === 0);
  });
  await t.test('a tunnel that is lost: UNAVAILABLE, for a DoGet that waits, too; what is here already is served', async (t) => {
    const kept = ask(client, 'GetFlightInfo', DESCRIPTOR);
    answer((await worker.next()).stream, [flightInfoMessage(handle), ...ROWS], COMPLETE);
    await kept;
    const second = handleOf(mesh.tunnels.ready()[0]?.workerId ?? '');
    const described = ask(client, 'GetFlightInfo', DESCRIPTOR);
    beginAnswer((await worker.next()).stream, flightInfoMessage(second));
    await described;
    const waiting = ask(client, 'DoGet', doGetRequest(second));
    const open = ask(client, 'GetFlightInfo', DESCRIPTOR);
    await worker.next();
    mesh.tunnels.closeAll('the test says so');
    for (const reply of await Promise.all([waiting, open])) {
      t.equal(statusOf(reply), '14');
      t.ok(messageOf(reply));
    }
    t.ok((await ask(client, 'DoGet', doGetRequest(handle))).body.equals(FRAMED));
  });
});
