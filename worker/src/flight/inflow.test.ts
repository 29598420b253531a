import { once } from 'node:events';
import { type ClientHttp2Session, connect, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { StatusError } from '@jetbridge/proto/status-error';
import t, { type Test } from 'tap';
import { UPLOAD_AHEAD_BYTES } from '../limits.ts';
import { openCall } from '../testing/grpc-client.ts';
import { Upload } from './inflow.ts';

const MESSAGE_MAX = 1024 * 1024;

async function open(t: Test): Promise<{ client: ClientHttp2Session; accepted: Promise<ServerHttp2Stream> }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'stream').then(([stream]) => stream as ServerHttp2Stream);
  const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.teardown(() => {
    client.destroy();
    server.close();
  });
  return { client, accepted };
}

t.test('a caller is held back until somebody reads, and nothing is lost', async (t) => {
  const { client, accepted } = await open(t);
  const call = openCall(client, '/upload');
  const messages = Array.from({ length: 48 }, (_, i) => Buffer.alloc(MESSAGE_MAX, i));
  for (const message of messages) {
    call.write(frameMessage(message));
  }
  call.end();
  const stream = await accepted;
  const upload = new Upload(stream, MESSAGE_MAX, new AbortController().signal);
  let received = 0;
  stream.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  await once(stream, 'pause');
  t.ok(received >= UPLOAD_AHEAD_BYTES && received < UPLOAD_AHEAD_BYTES + 2 * MESSAGE_MAX, `${received} bytes were taken`);
  for (const message of messages) {
    const { value } = await upload.next();
    t.ok(value?.equals(message));
  }
  t.same(await upload.next(), { value: undefined, done: true });
  t.same(await upload.next(), { value: undefined, done: true });
});

t.test('an abort ends the wait for a message, and drops those that wait', async (t) => {
  const { client, accepted } = await open(t);
  const call = openCall(client, '/upload');
  call.write(frameMessage(Buffer.from('one')));
  const abort = new AbortController();
  const upload = new Upload(await accepted, MESSAGE_MAX, abort.signal);
  t.equal((await upload.next()).value?.toString(), 'one');
  const waiting = upload.next();
  abort.abort(new StatusError('deadline_exceeded', 'late'));
  await t.rejects(waiting, { code: 'deadline_exceeded' });
  await t.rejects(upload.next(), { code: 'deadline_exceeded' });
  await t.rejects(new Upload(await accepted, MESSAGE_MAX, abort.signal).next(), { code: 'deadline_exceeded' });
  call.close();
});

t.test('a call that is cut, or a message that is too large, is a failure', async (t) => {
  const cut = await open(t);
  openCall(cut.client, '/upload').end(frameMessage(Buffer.from('cut off')).subarray(0, 8));
  await t.rejects(new Upload(await cut.accepted, MESSAGE_MAX, new AbortController().signal).next(), { code: 'invalid_argument' });
  const large = await open(t);
  openCall(large.client, '/upload').end(frameMessage(Buffer.alloc(11)));
  await t.rejects(new Upload(await large.accepted, 10, new AbortController().signal).next(), { code: 'resource_exhausted' });
});
