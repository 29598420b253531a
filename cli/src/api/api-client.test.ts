import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openAuthority } from '@jetbridge/pki/authority/authority';
import { createCsr } from '@jetbridge/pki/credential/csr';
import { generateKeyPair } from '@jetbridge/pki/credential/keys';
import { newId } from '@jetbridge/proto/ids';
import t, { type Test } from 'tap';
import { workersTable } from '../commands/workers.ts';
import { API_MAX_BODY_BYTES } from '../limits.ts';
import { type ApiAddress, ApiClient, parseApiUrl, textField } from './api-client.ts';

const never = new AbortController().signal;

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** A control-api of the test's making: real TLS with a certificate of a real authority. */
async function serve(test: Test, answer: (seen: Seen, response: ServerResponse) => void): Promise<{ address: ApiAddress; seen: Seen[] }> {
  const trustDomain = 'test.internal';
  const authority = await openAuthority({
    directory: join(test.testdir(), 'ca'),
    kek: randomBytes(32),
    trustDomain,
    now: () => new Date(),
    randomBytes,
  });
  const { privateKeyPem } = generateKeyPair();
  const { certificateChainPem } = authority.issueService({
    csrPem: createCsr(privateKeyPem),
    kind: 'control-api',
    id: newId('gtw'),
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    lifetimeMs: 3_600_000,
  });
  const seen: Seen[] = [];
  const server = createServer({ key: privateKeyPem, cert: certificateChainPem }, (request: IncomingMessage, response) => {
    void text(request).then((body) => {
      const { method, url, headers } = request;
      seen.push({ method, url, authorization: headers.authorization, body });
      answer({ method, url, authorization: headers.authorization, body }, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { address: { apiUrl: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, caPem: authority.bundlePem }, seen };
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' });
  response.end(JSON.stringify(body));
}

t.test('signs in, calls with the token, signs out', async (t) => {
  const { address, seen } = await serve(t, ({ url }, response) => {
    if (url === '/v1/sign-in') {
      json(response, 200, { accessToken: 'jba_x' });
    } else if (url === '/v1/sign-out') {
      response.writeHead(204).end();
    } else {
      json(response, 200, { workers: [] });
    }
  });
  const api = await new ApiClient(address).signIn('admin', 'pä"ss', never);
  t.strictSame(await api.call('GET', '/v1/workers', never), { workers: [] });
  await api.signOut(never);
  t.strictSame(seen, [
    { method: 'POST', url: '/v1/sign-in', authorization: undefined, body: '{"username":"admin","password":"pä\\"ss"}' },
    { method: 'GET', url: '/v1/workers', authorization: 'Bearer jba_x', body: '' },
    { method: 'POST', url: '/v1/sign-out', authorization: 'Bearer jba_x', body: '' },
  ]);
});

t.test('problems become the API’s own words', async (t) => {
  const answers: readonly (readonly [number, unknown, { code: string; message: string }])[] = [
    [
      409,
      { title: 'Conflict', detail: 'a worker named x exists', code: 'already_exists' },
      { code: 'already_exists', message: 'a worker named x exists' },
    ],
    [401, { title: 'Unauthorized' }, { code: 'unauthenticated', message: 'Unauthorized' }],
    [502, 'bad gateway', { code: 'unknown', message: 'the control-api answered with status 502' }],
    [500, { code: 'no such code', detail: 'oops' }, { code: 'unknown', message: 'oops' }],
  ];
  const left = [...answers];
  const { address } = await serve(t, (_seen, response) => {
    const [status, body] = left.shift() ?? [200, {}];
    json(response, status, body);
  });
  for (const [, , expected] of answers) {
    await t.rejects(new ApiClient(address).call('GET', '/', never), expected);
  }
});

t.test('an answer that is no JSON or too large is an error', async (t) => {
  const { address } = await serve(t, ({ url }, response) => {
    response.writeHead(200).end(url === '/large' ? Buffer.alloc(API_MAX_BODY_BYTES + 1, 0x20) : '<html>');
  });
  await t.rejects(new ApiClient(address).call('GET', '/', never), { code: 'internal', message: /not JSON/ });
  await t.rejects(new ApiClient(address).call('GET', '/large', never), { code: 'resource_exhausted' });
});

t.test('an unknown CA, nobody there, a wrong address', async (t) => {
  const { address, seen } = await serve(t, (_seen, response) => json(response, 200, {}));
  await t.rejects(new ApiClient({ ...address, caPem: undefined }).signIn('admin', 'secret', never), {
    code: 'unavailable',
    message: /give the CA certificate with --ca FILE/,
  });
  t.strictSame(seen, [], 'the password was not sent');
  await t.rejects(new ApiClient({ apiUrl: 'https://127.0.0.1:1', caPem: undefined }).call('GET', '/', never), {
    code: 'unavailable',
    message: /cannot reach the control-api at https:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/,
  });
  t.throws(() => parseApiUrl('http://x:1'), /is not the address of a control-api; it looks like https:\/\/HOST:8443/);
  t.throws(() => textField({ token: 1 }, 'token'), /has no token/);
});

t.test('the table of workers', async (t) => {
  const worker = { id: 'wkr_1', name: 'berlin', pool: 'default', labels: { site: 'b' }, state: 'active', online: true };
  const tunnel = { version: '0.1.0', connectedAt: '2026-01-01T00:00:00Z', catalogs: ['sales'] };
  t.equal(
    workersTable([
      { ...worker, tunnels: [tunnel, { ...tunnel, catalogs: ['sales', 'files'] }] },
      { ...worker, id: 'wkr_2', name: 'x', state: 'revoked', online: false, labels: {}, tunnels: [] },
    ]),
    [
      'NAME    POOL     STATE    TUNNELS  CATALOGS     VERSION  CONNECTED             LABELS  ID',
      'berlin  default  online   2        files,sales  0.1.0    2026-01-01T00:00:00Z  site=b  wkr_1',
      'x       default  revoked  0        -            -        -                     -       wkr_2',
      '',
    ].join('\n'),
  );
  t.match(workersTable([]), /No workers yet/);
});
