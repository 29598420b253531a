import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { serviceCredential, testAuthority } from '@jetbridge/pki/fixture';
import { controlListenerOptions } from '@jetbridge/pki/trust/tls';
import { newId } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import { httpStatusOf, PROBLEM_CONTENT_TYPE, problemOf } from '@jetbridge/proto/status-http';
import t, { type Test } from 'tap';
import { CONTROL_LIMITS } from '../limits.ts';
import { HttpControl } from './http-control.ts';

interface Seen {
  readonly route: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** A control-api that answers every route with what the test says, over real mutual TLS. */
async function start(t: Test, answer: (route: string) => unknown) {
  const authority = await testAuthority(t);
  const own = serviceCredential(authority, 'control-api');
  const gateway = serviceCredential(authority, 'gateway');
  const seen: Seen[] = [];
  const server = createServer(
    controlListenerOptions(() => own),
    (request, response) => {
      void serve(request, response, answer, seen);
    },
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const controlUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { seen, server, control: new HttpControl({ controlUrl, credential: () => gateway, limits: CONTROL_LIMITS }) };
}

async function serve(request: IncomingMessage, response: ServerResponse, answer: (route: string) => unknown, seen: Seen[]): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  const route = `${request.method} ${request.url}`;
  const text = Buffer.concat(chunks).toString();
  seen.push({ route, authorization: request.headers.authorization, body: text === '' ? undefined : JSON.parse(text) });
  const value = answer(route);
  if (value instanceof StatusError) {
    response.writeHead(httpStatusOf(value.code), { 'content-type': PROBLEM_CONTENT_TYPE }).end(JSON.stringify(problemOf(value)));
  } else if (value === undefined) {
    response.writeHead(204).end();
  } else {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  }
}

const BASIC = { basic: { username: 'ada', password: 'x' } };

t.test('asks the routes of the contract', async (t) => {
  const { control, seen } = await start(t, (route) => (route.startsWith('PUT') || route.endsWith('sign-out') ? undefined : { route }));
  const workerId = newId('wkr');
  const { signal } = new AbortController();
  await control.authenticate(BASIC, '192.0.2.1');
  await control.authenticate({ bearer: 'jba_x' }, '192.0.2.1');
  await control.openSession({ username: 'ada', password: 'x', clientAddress: '192.0.2.1' });
  await control.admission(workerId, signal);
  await control.register({ tunnelAddress: 'a:1', flightAddress: 'b:2', version: '0' }, signal);
  await control.reportTunnels([], signal);
  await control.signOut('jba_x');
  t.same(
    seen.map(({ route, authorization, body }) => [route, body, authorization]),
    [
      ['POST /v1/gateway/authenticate', { ...BASIC, clientAddress: '192.0.2.1' }, undefined],
      ['POST /v1/gateway/authenticate', { bearer: 'jba_x' }, undefined],
      ['POST /v1/gateway/sessions', { username: 'ada', password: 'x', clientAddress: '192.0.2.1' }, undefined],
      [`GET /v1/gateway/workers/${workerId}`, undefined, undefined],
      ['PUT /v1/gateway/self', { tunnelAddress: 'a:1', flightAddress: 'b:2', version: '0' }, undefined],
      ['PUT /v1/gateway/tunnels', { tunnels: [] }, undefined],
      ['POST /v1/sign-out', undefined, 'Bearer jba_x'],
    ],
  );
});

t.test('tells clients of their own mistakes, and of nothing else', async (t) => {
  let answer = new StatusError('unauthenticated', 'the username or the password is wrong');
  const { control } = await start(t, () => answer);
  await t.rejects(control.authenticate(BASIC, 'here'), { code: 'unauthenticated', message: /password is wrong/ });
  answer = new StatusError('resource_exhausted', 'too many attempts');
  await t.rejects(control.authenticate(BASIC, 'here'), { code: 'resource_exhausted' });
  answer = new StatusError('internal', 'table principals is missing');
  await t.rejects(control.authenticate(BASIC, 'here'), { code: 'unavailable', message: /cannot be verified at the moment/ });
});

t.test('signing out', async (t) => {
  let answer: unknown = new StatusError('unauthenticated', 'no such token');
  const { control, server } = await start(t, () => answer);
  await t.resolves(control.signOut('jba_gone'), 'a token that is gone already is signed out');
  answer = new StatusError('unavailable', 'the database is away');
  await t.rejects(control.signOut('jba_x'), { code: 'unavailable' });
  server.close();
  server.closeAllConnections();
  await once(server, 'close').catch(() => undefined);
  await t.rejects(control.signOut('jba_x'), { code: 'unavailable' });
  await t.rejects(control.authenticate(BASIC, 'here'), { code: 'unavailable' });
});
