import { once } from 'node:events';
import { encodeAction, encodeFlightDescriptor, encodeTicket } from '@jetbridge/proto/flight';
import { decodeHandshakeResponse, encodeBasicAuth, encodeHandshakeRequest } from '@jetbridge/proto/flight-handshake';
import { encodeCommand } from '@jetbridge/proto/flight-sql';
import { encodeFlightSqlAction } from '@jetbridge/proto/flight-sql-action';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { sealHandle } from '@jetbridge/proto/handle';
import { newId } from '@jetbridge/proto/ids';
import t from 'tap';
import { ask, messageOf, statusOf } from '../testing/ask.ts';
import { type Answer, answer, answered, basic, call, startMesh } from '../testing/mesh.ts';

const DESCRIPTOR = frameMessage(encodeFlightDescriptor({ type: 'CMD', cmd: Buffer.from('any'), path: [] }));

t.test('handshake', async (t) => {
  const mesh = await startMesh(t);
  const seen: unknown[] = [];
  await mesh.startWorker({
    serve: (stream, headers) => {
      seen.push(headers['x-jetbridge-session']);
      answer(stream, []);
    },
  });
  await t.test('a password in the header, with no message and with one', async (t) => {
    for (const body of [undefined, frameMessage(encodeHandshakeRequest({ protocolVersion: '0', payload: Buffer.alloc(0) }))]) {
      const reply = await ask(mesh, 'Handshake', body, { authorization: basic('ada', 'pass:word') });
      t.equal(statusOf(reply), '0');
      t.match(reply.headers?.authorization, /^Bearer jba_/);
      t.equal(reply.body.length, 0);
      const bearer = String(reply.headers?.authorization);
      t.equal(statusOf(await ask(mesh, 'ListActions', undefined, { authorization: bearer })), '0');
      t.equal(seen.pop(), bearer.slice('Bearer jba_'.length), "the session is the token's");
    }
    t.equal(mesh.control.questions, 0, 'a session that was just opened is known');
  });
  await t.test('the answer does not wait for the client to end', async (t) => {
    const stream = call(mesh.connectClient(), 'Handshake');
    const [headers] = await once(stream, 'response');
    t.match(headers.authorization, /^Bearer /);
    stream.end();
  });
  await t.test('a password in the message', async (t) => {
    const payload = encodeBasicAuth({ username: 'ada', password: 'pass:word' });
    const reply = await ask(mesh, 'Handshake', frameMessage(encodeHandshakeRequest({ protocolVersion: '0', payload })), {});
    const token = decodeHandshakeResponse(reply.body.subarray(5)).payload.toString();
    t.match(token, /^jba_/);
    const later = { 'auth-token-bin': Buffer.from(token).toString('base64') };
    t.equal(statusOf(await ask(mesh, 'ListActions', undefined, later)), '0');
  });
  await t.test('a bearer', async (t) => {
    mesh.control.addToken('jba_long');
    const reply = await ask(mesh, 'Handshake', undefined, { authorization: 'bearer jba_long' });
    t.equal(reply.headers?.authorization, 'Bearer jba_long');
  });
  await t.test('refusals', async (t) => {
    t.equal(statusOf(await ask(mesh, 'Handshake', undefined, { authorization: basic('ada', 'wrong') })), '16');
    t.equal(statusOf(await ask(mesh, 'Handshake', undefined, {})), '16');
    t.equal(statusOf(await ask(mesh, 'Handshake', frameMessage(Buffer.from([255, 255])), {})), '3');
    t.equal(statusOf(await ask(mesh, 'Handshake', frameMessage(Buffer.alloc(100_000)), {})), '8');
  });
});

t.test('every other call needs a caller', async (t) => {
  const mesh = await startMesh(t);
  const sessions: unknown[] = [];
  await mesh.startWorker({
    serve: (stream, headers) => {
      sessions.push(headers['x-jetbridge-session']);
      answer(stream, []);
    },
  });
  await t.test('a password on every call: one session per connection', async (t) => {
    const client = mesh.connectClient();
    for (let turn = 0; turn < 2; turn += 1) {
      const stream = call(client, 'ListActions');
      stream.end();
      t.equal(statusOf(await answered(stream)), '0');
    }
    await ask(mesh, 'ListActions', undefined);
    t.equal(sessions[0], sessions[1]);
    t.not(sessions[1], sessions[2]);
    t.equal(mesh.control.questions, 1);
  });
  await t.test('refusals', async (t) => {
    const missing = await ask(mesh, 'GetFlightInfo', DESCRIPTOR, {});
    t.equal(statusOf(missing), '16');
    t.match(messageOf(missing), /username and password/);
    t.equal(statusOf(await ask(mesh, 'GetFlightInfo', DESCRIPTOR, { authorization: 'Bearer wrong' })), '16');
    t.equal(statusOf(await ask(mesh, 'GetFlightInfo', DESCRIPTOR, { authorization: 'Digest x' })), '16');
    t.equal(statusOf(await ask(mesh, 'GetFlightInfo', DESCRIPTOR, { authorization: 'Basic !!' })), '16');
  });
  await t.test('while the control-api is away, callers in the cache go on', async (t) => {
    mesh.control.reachable = false;
    t.equal(statusOf(await ask(mesh, 'ListActions', undefined)), '0');
    t.equal(statusOf(await ask(mesh, 'ListActions', undefined, { authorization: 'Bearer new' })), '14');
  });
});

t.test('what is no call of Flight', async (t) => {
  const mesh = await startMesh(t);
  await mesh.startWorker({ serve: (stream) => answer(stream, []) });
  const request = async (headers: Record<string, string>): Promise<Answer> => {
    const stream = mesh.connectClient().request(headers);
    stream.on('error', () => undefined);
    stream.end();
    return answered(stream);
  };
  t.equal((await request({ ':method': 'GET', ':path': '/' })).headers?.[':status'], 415);
  const hello = { ':method': 'POST', ':path': '/jetbridge.tunnel.v1.Tunnel/Hello', 'content-type': 'application/grpc' };
  t.equal(statusOf(await request(hello)), '12', 'the tunnel service is not reachable from outside');
  t.equal(statusOf(await ask(mesh, 'Nothing', DESCRIPTOR)), '12');
});

t.test('first messages', async (t) => {
  const mesh = await startMesh(t, { flight: { firstMessageTimeoutMs: 40, waitingBytes: 3_000 } });
  await mesh.startWorker({ serve: (stream) => answer(stream.resume(), []) });
  await t.test('none', async (t) => {
    for (const method of ['GetFlightInfo', 'DoGet', 'DoAction', 'DoPut']) {
      const reply = await ask(mesh, method, undefined);
      t.equal(statusOf(reply), '3');
      t.match(messageOf(reply), /needs a message/);
    }
  });
  await t.test('cut', async (t) => {
    t.equal(statusOf(await ask(mesh, 'GetFlightInfo', DESCRIPTOR.subarray(0, 7))), '3');
  });
  await t.test('not what the call asks for', async (t) => {
    t.equal(statusOf(await ask(mesh, 'GetFlightInfo', frameMessage(Buffer.from([255, 255])))), '3');
  });
  await t.test('late', async (t) => {
    const stream = call(mesh.connectClient(), 'GetFlightInfo');
    stream.once('response', () => stream.end());
    stream.write(DESCRIPTOR.subarray(0, 3));
    t.equal(statusOf(await answered(stream)), '4');
  });
  await t.test('compressed', async (t) => {
    t.equal(statusOf(await ask(mesh, 'GetFlightInfo', Buffer.from([1, 0, 0, 0, 1, 0]))), '12');
  });
  await t.test('too large, by its prefix alone', async (t) => {
    t.equal(statusOf(await ask(mesh, 'DoPut', Buffer.from([0, 0xff, 0xff, 0xff, 0xff]))), '8');
  });
  await t.test('too many at once; and what was held is given back', async (t) => {
    const body = frameMessage(encodeFlightDescriptor({ type: 'PATH', cmd: Buffer.alloc(0), path: ['x'.repeat(2_000)] }));
    const slow = call(mesh.connectClient(), 'GetFlightInfo');
    slow.once('response', () => slow.end());
    slow.write(body.subarray(0, 1_900));
    await once(slow, 'ready');
    const replies = await Promise.all([answered(slow), ask(mesh, 'GetFlightInfo', body)]);
    t.same(replies.map(statusOf).sort(), ['4', '8']);
    t.equal(statusOf(await ask(mesh, 'GetFlightInfo', body)), '0');
  });
});

t.test('routing', async (t) => {
  const mesh = await startMesh(t);
  const serve = (name: string) => (stream: Parameters<typeof answer>[0]) => answer(stream, [Buffer.from(name)]);
  const noWorker = await ask(mesh, 'ListActions', undefined);
  t.equal(statusOf(noWorker), '14');
  t.match(messageOf(noWorker), /no worker of pool "default" is connected; start one with/);
  const first = await mesh.startWorker({ serve: serve('first'), catalogs: ['main'] });
  const second = await mesh.startWorker({ serve: serve('second'), catalogs: ['main'] });
  await mesh.startWorker({ serve: serve('sales'), pool: 'sales', catalogs: ['crm'] });
  const ticket = (workerId: string): Buffer => {
    const handle = sealHandle(Buffer.alloc(32), workerId, Buffer.from('x'));
    return frameMessage(encodeTicket({ ticket: encodeCommand({ kind: 'ticket_statement_query', handle }) }));
  };
  const nameIn = ({ body }: Answer): string => body.subarray(5).toString();
  await t.test('by handle', async (t) => {
    t.equal(nameIn(await ask(mesh, 'DoGet', ticket(first.workerId))), 'first');
    t.equal(nameIn(await ask(mesh, 'DoGet', ticket(second.workerId))), 'second');
    const gone = await ask(mesh, 'DoGet', ticket(newId('wkr')));
    t.equal(statusOf(gone), '14');
    t.match(messageOf(gone), /is gone; run the statement again/);
    const close = (id: string) => {
      const handle = sealHandle(Buffer.alloc(32), id, Buffer.from('sealed'));
      return frameMessage(encodeAction(encodeFlightSqlAction({ kind: 'close_prepared_statement', handle })));
    };
    t.equal(statusOf(await ask(mesh, 'DoAction', close(newId('wkr')))), '0', 'nothing is left to close');
  });
  await t.test('by session', async (t) => {
    const client = mesh.connectClient();
    const names = new Set<string>();
    for (let turn = 0; turn < 5; turn += 1) {
      const stream = call(client, 'GetFlightInfo');
      stream.end(DESCRIPTOR);
      names.add(nameIn(await answered(stream)));
    }
    t.equal(names.size, 1);
  });
  await t.test('by catalog', async (t) => {
    const authorization = basic('ada', 'pass:word');
    t.equal(nameIn(await ask(mesh, 'GetFlightInfo', DESCRIPTOR, { authorization, catalog: 'crm' })), 'sales');
    t.equal(nameIn(await ask(mesh, 'GetFlightInfo', DESCRIPTOR, { authorization, database: 'crm' })), 'sales');
    const unknown = await ask(mesh, 'GetFlightInfo', DESCRIPTOR, { authorization, catalog: 'nope' });
    t.equal(statusOf(unknown), '5');
    t.match(messageOf(unknown), /"nope"; there are: "crm", "main"/);
  });
});

t.test('CloseSession', async (t) => {
  const mesh = await startMesh(t);
  let closes = 0;
  await mesh.startWorker({
    serve: (stream) => {
      closes += 1;
      answer(stream, []);
    },
  });
  const body = frameMessage(encodeAction({ type: 'CloseSession', body: Buffer.alloc(0) }));
  const { headers } = await ask(mesh, 'Handshake', undefined, { authorization: basic('ada', 'pass:word') });
  const session = { authorization: String(headers?.authorization) };
  t.equal(statusOf(await ask(mesh, 'DoAction', body, session)), '0');
  t.equal(closes, 1);
  t.equal(mesh.control.tokens.size, 0, 'the token is signed out');
  t.equal(statusOf(await ask(mesh, 'DoAction', body, session)), '16', 'twice');
  t.equal(statusOf(await ask(mesh, 'DoAction', body, { authorization: 'Bearer never' })), '16', 'with a bad token');
  t.equal(statusOf(await ask(mesh, 'DoAction', body)), '0', 'with a password');
  mesh.control.addToken('jba_long');
  t.equal(statusOf(await ask(mesh, 'DoAction', body, { authorization: 'Bearer jba_long' })), '0');
  t.equal(
    statusOf(await ask(mesh, 'DoAction', body, { authorization: 'Bearer jba_long' })),
    '0',
    'a long-lived token outlives the session',
  );
});

t.test('headers up to 64 KB are taken', async (t) => {
  const mesh = await startMesh(t);
  await mesh.startWorker({ serve: (stream, headers) => answer(stream, [Buffer.from(String(headers['x-long']).length.toString())]) });
  const authorization = basic('ada', 'pass:word');
  const reply = await ask(mesh, 'ListActions', undefined, { authorization, 'x-long': 'y'.repeat(60_000) });
  t.equal(reply.body.subarray(5).toString(), '60000');
});
