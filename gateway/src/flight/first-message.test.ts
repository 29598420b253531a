import { once } from 'node:events';
import { type ClientHttp2Stream, connect, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import t, { type Test } from 'tap';
import { type RequestHead, readRequestHead, WaitingBytes } from './first-message.ts';

const MESSAGE = Buffer.from('message');

/** Sends what `send` sends, and tells what the server read of it before it looked any further. */
async function headOf(t: Test, send: (request: ClientHttp2Stream) => void, alone = true): Promise<{ head: RequestHead; ended: boolean }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.teardown(() => {
    session.destroy();
    server.close();
  });
  const arrived = once(server, 'stream') as Promise<[ServerHttp2Stream]>;
  const request = session.request({ ':method': 'POST' });
  request.on('error', () => undefined);
  send(request);
  const [stream] = await arrived;
  const limits = { messageBytes: 1024, timeoutMs: 20_000, alone, waiting: new WaitingBytes(1024) };
  const head = await readRequestHead(stream, limits);
  return { head, ended: stream.readableEnded };
}

t.test('the end of a request that comes with its only message is read with it', async (t) => {
  const { head, ended } = await headOf(t, (request) => request.end(frameMessage(MESSAGE)));
  t.same(head.message, MESSAGE);
  t.ok(ended);
});

t.test('nobody waits for an end that does not come', async (t) => {
  const { head, ended } = await headOf(t, (request) => request.write(frameMessage(MESSAGE)));
  t.same(head.message, MESSAGE);
  t.notOk(ended);
});

t.test('what follows the first message is passed on as it came', async (t) => {
  const both = Buffer.concat([frameMessage(MESSAGE), frameMessage(Buffer.from('more'))]);
  const { head, ended } = await headOf(t, (request) => request.end(both));
  t.same(head.message, MESSAGE);
  t.same(Buffer.concat(head.chunks), both);
  t.ok(ended);
});

t.test('where client and worker talk in turns, a message is given out at once', async (t) => {
  const { head, ended } = await headOf(t, (request) => request.end(frameMessage(MESSAGE)), false);
  t.same(head.message, MESSAGE);
  t.notOk(ended);
});
