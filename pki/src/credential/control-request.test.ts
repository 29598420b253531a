import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { json } from 'node:stream/consumers';
import type { TLSSocket } from 'node:tls';
import { StatusError } from '@jetbridge/proto/status-error';
import { problemOf } from '@jetbridge/proto/status-http';
import t, { type Test } from 'tap';
import { listen, serviceCredential, TRUST_DOMAIN, testAuthority, workerCredential } from '../fixture.ts';
import { requirePeer } from '../trust/peer.ts';
import { controlListenerOptions } from '../trust/tls.ts';
import { type ControlRequest, controlRequest } from './control-request.ts';
import type { Credential } from './credential.ts';

const authority = await testAuthority(t);
const control = serviceCredential(authority, 'control-api');
const worker = workerCredential(authority);

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

async function serve(t: Test, handler: Handler, credential: Credential = control): Promise<Omit<ControlRequest, 'method' | 'path'>> {
  const server = createServer(
    controlListenerOptions(() => credential),
    handler,
  );
  server.on('tlsClientError', () => undefined);
  return { controlUrl: `https://127.0.0.1:${await listen(t, server)}`, credential: () => worker, signal: AbortSignal.timeout(10_000) };
}

/** A handler that gives one fixed answer. */
function answer(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Handler {
  return (_request, response) => response.writeHead(status, headers).end(body);
}

t.test('a call carries the identity of its credential, and JSON both ways', async (t) => {
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const identity = requirePeer(request.socket as TLSSocket, { kind: 'worker', usage: 'client', trustDomain: TRUST_DOMAIN });
    const { method, url, headers } = request;
    const body = method === 'PUT' ? await json(request) : undefined;
    response.end(JSON.stringify({ identity, method, url, type: headers['content-type'], body }));
  };
  const call = await serve(t, (request, response) => void handle(request, response));
  t.strictSame(await controlRequest({ ...call, method: 'PUT', path: '/v1/gateway/self', body: { name: 'ü' } }), {
    identity: worker.identity,
    method: 'PUT',
    url: '/v1/gateway/self',
    type: 'application/json',
    body: { name: 'ü' },
  });
  t.match(await controlRequest({ ...call, controlUrl: `${call.controlUrl}/base/`, method: 'GET', path: '/v1/worker/self?a=b' }), {
    method: 'GET',
    url: '/base/v1/worker/self?a=b',
  });
});

t.test('an empty answer is undefined', async (t) => {
  t.equal(await controlRequest({ ...(await serve(t, answer(204, ''))), method: 'DELETE', path: '/' }), undefined);
});

t.test('a problem becomes the error it describes', async (t) => {
  const problem = JSON.stringify(problemOf(new StatusError('not_found', 'there is no such worker')));
  const call = await serve(t, answer(404, problem, { 'content-type': 'application/problem+json' }));
  await t.rejects(controlRequest({ ...call, method: 'GET', path: '/' }), {
    name: 'StatusError',
    code: 'not_found',
    message: 'there is no such worker',
  });
});

t.test('a refusal says when to come back', async (t) => {
  const call = await serve(t, answer(429, '{"code":"resource_exhausted","detail":"too many"}', { 'retry-after': '7' }));
  await t.rejects(controlRequest({ ...call, method: 'GET', path: '/' }), { code: 'resource_exhausted', retryAfterMs: 7000 });
});

t.test('an answer that is no problem of ours is judged by its status; a made-up code is not believed', async (t) => {
  for (const [status, code] of [
    [401, 'unauthenticated'],
    [403, 'permission_denied'],
    [404, 'not_found'],
    [429, 'resource_exhausted'],
    [502, 'unavailable'],
    [503, 'unavailable'],
    [302, 'failed_precondition'],
    [500, 'failed_precondition'],
  ] as const) {
    for (const body of ['<html>', '{"code":"ok","detail":1}']) {
      const call = await serve(t, answer(status, body, { location: '/elsewhere' }));
      await t.rejects(controlRequest({ ...call, method: 'GET', path: '/' }), { code, message: new RegExp(`HTTP status ${status}`) });
    }
  }
});

t.test('an answer that is not JSON, or too large, is refused', async (t) => {
  await t.rejects(controlRequest({ ...(await serve(t, answer(200, '<html>'))), method: 'GET', path: '/' }), {
    code: 'failed_precondition',
    message: /not JSON/,
  });
  await t.rejects(controlRequest({ ...(await serve(t, answer(200, ' '.repeat(1_100_000)))), method: 'GET', path: '/' }), {
    code: 'out_of_range',
  });
});

t.test('only the control-api of our roots is spoken to: others never see a request', async (t) => {
  const other = await testAuthority(t);
  for (const [what, credential, error] of [
    [
      'a gateway of ours',
      serviceCredential(authority, 'gateway'),
      { code: 'permission_denied', message: /of a gateway, not of a control-api/ },
    ],
    [
      'a control-api of other roots',
      serviceCredential(other, 'control-api'),
      { code: 'unauthenticated', message: /no certificate from the expected Jetbridge root/ },
    ],
    ['a worker of ours', workerCredential(authority), { code: 'unauthenticated' }],
  ] as const) {
    let requests = 0;
    const call = await serve(
      t,
      (_request, response) => {
        requests += 1;
        response.end();
      },
      credential,
    );
    await t.rejects(controlRequest({ ...call, method: 'POST', path: '/', body: { secret: 1 } }), error, what);
    t.equal(requests, 0);
  }
});

t.test('transport failures are unavailable', async (t) => {
  const cut = await serve(t, (request) => request.socket.destroy());
  await t.rejects(controlRequest({ ...cut, method: 'GET', path: '/' }), { code: 'unavailable' });
  const half = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{', () => response.destroy());
  });
  await t.rejects(controlRequest({ ...half, method: 'GET', path: '/' }), { code: 'unavailable' }, 'an answer that breaks off');
  const closed = createTcpServer();
  const port = await listen(t, closed);
  closed.close();
  await once(closed, 'close');
  await t.rejects(controlRequest({ ...cut, controlUrl: `https://127.0.0.1:${port}`, method: 'GET', path: '/' }), {
    code: 'unavailable',
    message: /nothing answers at 127\.0\.0\.1:\d+/,
  });
});

t.test('a server that hangs is given up: in the handshake, before and within the answer', async (t) => {
  const mute = await listen(
    t,
    createTcpServer((socket) => t.teardown(() => socket.destroy())),
  );
  const silent = await serve(t, (_request, response) => t.teardown(() => response.destroy()));
  const stuck = await serve(t, (_request, response) => {
    response.writeHead(200).write('{');
    t.teardown(() => response.destroy());
  });
  for (const controlUrl of [`https://127.0.0.1:${mute}`, silent.controlUrl, stuck.controlUrl]) {
    await t.rejects(controlRequest({ ...silent, controlUrl, method: 'GET', path: '/', timeoutMs: 100 }), {
      code: 'unavailable',
      message: /did not answer within 100 ms/,
    });
  }
});

t.test('an aborted call is cancelled', async (t) => {
  const asked = Promise.withResolvers<void>();
  const silent = await serve(t, (_request, response) => {
    t.teardown(() => response.destroy());
    asked.resolve();
  });
  const abort = new AbortController();
  const call = controlRequest({ ...silent, method: 'GET', path: '/', signal: abort.signal });
  await asked.promise;
  abort.abort();
  await t.rejects(call, { code: 'cancelled' });
  await t.rejects(controlRequest({ ...silent, method: 'GET', path: '/', signal: abort.signal }), { code: 'cancelled' }, 'before it begins');
});

t.test('a server that does not speak TLS', async (t) => {
  const port = await listen(
    t,
    createTcpServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  );
  const call = { controlUrl: `https://127.0.0.1:${port}`, credential: () => worker, method: 'GET', path: '/' } as const;
  await t.rejects(controlRequest(call), { code: 'failed_precondition', message: /does not speak TLS 1\.3/ });
});

t.test('control URLs', async (t) => {
  for (const controlUrl of [
    '',
    'localhost:8443',
    'http://localhost:8443',
    'https://user:secret@localhost',
    'https://localhost/?a',
    'https://localhost/#a',
    'ftp://x',
  ]) {
    await t.rejects(
      controlRequest({ controlUrl, credential: () => worker, method: 'GET', path: '/' }),
      { code: 'invalid_argument', message: /https:\/\/host:port/ },
      controlUrl,
    );
  }
});
