import t from 'tap';
import { REQUESTS_PER_ADDRESS_PER_MINUTE } from '../limits.ts';
import { openTestApi } from '../testing/api.ts';
import { openEmbedded } from '../testing/databases.ts';

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly security?: readonly object[];
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: object }>>;
}

t.test('the HTTP server', async (t) => {
  const database = await openEmbedded(t);
  const api = await openTestApi(t, database);

  await t.test('health, readiness and metrics', async (t) => {
    t.same((await api.call('GET', '/healthz')).body, { status: 'ok' });
    t.same((await api.call('GET', '/readyz')).body, { status: 'ok' });
    await api.call('POST', '/v1/sign-in', { body: { username: 'nobody', password: 'wrong' } });
    const { text, headers } = await api.call('GET', '/metrics');
    t.match(headers['content-type'], /^text\/plain/);
    t.match(text, /jetbridge_control_sign_ins_total\{outcome="failure"\} 1/);
    t.match(text, /jetbridge_control_http_request_duration_seconds_count\{method="GET",route="\/healthz",status="200"\} 1/);
    t.match(text, /jetbridge_control_database_waiting 0/);
  });

  await t.test('the OpenAPI document describes every route', async (t) => {
    const { body } = await api.call('GET', '/openapi.json');
    t.match(body.openapi, /^3\.1\./);
    t.match(body.info, { title: String, version: String });
    const operations = Object.entries<Record<string, Operation>>(body.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
    );
    t.ok(operations.length >= 25);
    const ids = operations.map(({ operation }) => operation.operationId);
    t.equal(new Set(ids).size, ids.length, 'operation ids are unique');
    for (const { name, operation } of operations) {
      t.ok(operation.operationId && operation.summary, `${name} has an id and a summary`);
      const statuses = Object.keys(operation.responses);
      t.ok(
        statuses.some((status) => status.startsWith('2')),
        `${name} says what success is`,
      );
      for (const [status, response] of Object.entries(operation.responses)) {
        t.type(response.description, 'string', `${name} ${status} has a description`);
        t.ok(status === '204' || response.content !== undefined, `${name} ${status} has a schema`);
      }
      const schemes = (operation.security ?? []).flatMap(Object.keys);
      t.ok(schemes.every((scheme) => scheme in body.components.securitySchemes));
    }
    const registered = api.server.printRoutes({ commonPrefix: false });
    t.match(registered, /v1\/gateway\/tunnels/);
    t.ok(body.paths['/v1/workers/{id}'].get.parameters.length > 0, 'parameters are described');
  });

  await t.test('Swagger UI needs nothing from elsewhere', async (t) => {
    const { status, text, headers } = await api.call('GET', '/docs');
    t.equal(status, 200);
    t.notMatch(text, /https?:\/\//);
    t.notMatch(headers['content-security-policy'], /https?:/);
    t.equal((await api.call('GET', '/docs/static/swagger-ui-bundle.js')).status, 200);
    t.notMatch((await api.call('GET', '/docs/static/swagger-initializer.js')).text, /validatorUrl":"http/);
    t.match((await api.call('GET', '/healthz')).headers['content-security-policy'], /default-src 'none'/);
  });

  await t.test('every refusal is a problem that says what to do', async (t) => {
    const bearer = await api.admin();
    const expect = async (
      name: string,
      answer: Promise<{
        status: number;
        headers: Readonly<Record<string, unknown>>;
        body: { status: number; title: string; detail: string };
      }>,
      status: number,
      detail: RegExp,
    ) => {
      const { status: actual, headers, body } = await answer;
      t.equal(actual, status, name);
      t.equal(headers['content-type'], 'application/problem+json', name);
      t.equal(body.status, status);
      t.ok(body.title);
      t.match(body.detail, detail, name);
    };
    await expect('no such path', api.call('GET', '/v1/nonsense'), 404, /\/docs/);
    await expect('another method', api.call('DELETE', '/v1/workers/x'), 405, /GET/);
    t.match((await api.call('PUT', '/v1/principals')).headers['allow'], /GET, HEAD, POST/);
    await expect('a bad escape', api.call('GET', '/v1/workers/%zz', { bearer }), 400, /./);
    await expect('no body', api.call('POST', '/v1/sign-in'), 400, /body/);
    await expect(
      'missing and unknown fields',
      api.call('POST', '/v1/sign-in', { body: { user: 'x' } }),
      400,
      /body\.username is required; .*body\.user is not known/,
    );
    await expect(
      'a wrong choice',
      api.call('POST', '/v1/principals', { bearer, body: { name: 'a', kind: 'robot', roles: ['member'] } }),
      400,
      /body\.kind must be one of person, service/,
    );
    await expect(
      'a wrong element',
      api.call('POST', '/v1/principals', { bearer, body: { name: 'a', kind: 'service', roles: ['root'] } }),
      400,
      /body\.roles\.0 must be one of/,
    );
    await expect('a wrong query', api.call('GET', '/v1/audit?limit=many', { bearer }), 400, /querystring\.limit/);
    await expect('a foreign cursor', api.call('GET', '/v1/audit?cursor=x', { bearer }), 400, /querystring\.cursor/);
    await expect(
      'a large body',
      api.call('POST', '/v1/sign-in', { body: { username: 'x'.repeat(70_000), password: 'x' } }),
      413,
      /too large/,
    );
    const broken = await api.server.inject({
      method: 'POST',
      url: '/v1/sign-in',
      payload: '{"',
      headers: { 'content-type': 'application/json' },
    });
    t.equal(broken.statusCode, 400);
    const xml = await api.server.inject({ method: 'POST', url: '/v1/sign-in', payload: '<x/>', headers: { 'content-type': 'text/xml' } });
    t.equal(xml.statusCode, 415);
    t.equal(xml.headers['content-type'], 'application/problem+json');
    const password = 'do-not-repeat-me';
    t.notOk((await api.call('POST', '/v1/sign-in', { body: { username: '\n', password } })).text.includes(password));
  });

  await t.test('a NUL where text is expected is refused, not passed to the database', async (t) => {
    const bearer = await api.admin();
    for (const answer of [
      await api.call('POST', '/v1/sign-in', { body: { username: 'a\u0000', password: 'x' } }),
      await api.call('POST', '/v1/access-tokens', { bearer, body: { name: 'a\u0000' } }),
      await api.call('GET', '/v1/principals?cursor=%00', { bearer }),
      await api.call('GET', '/v1/workers/%00', { bearer }),
      await api.call('DELETE', '/v1/enrollment-tokens/%00', { bearer }),
      await api.call('POST', '/v1/enrollment-tokens', { bearer, body: { kind: 'worker', name: 'a', labels: { 'a\u0000': 'b' } } }),
    ]) {
      t.equal(answer.status, 400, answer.text);
    }
  });

  await t.test('one address cannot flood the API', async (t) => {
    let answer = await api.call('GET', '/v1/pki/bundle', { address: '198.51.100.1' });
    t.same(answer.body, { bundlePem: api.authority.bundlePem, rootPins: [api.authority.rootPin] });
    for (let count = 0; count < REQUESTS_PER_ADDRESS_PER_MINUTE; count += 1) {
      answer = await api.call('GET', '/v1/pki/bundle', { address: '198.51.100.1' });
    }
    t.equal(answer.status, 429);
    t.match(answer.headers['retry-after'], /^[1-9][0-9]*$/);
    t.equal(answer.headers['content-type'], 'application/problem+json');
    t.equal((await api.call('GET', '/healthz', { address: '198.51.100.1' })).status, 200, 'probes are not counted');
  });

  await t.test('without its database it is alive but not ready', async (t) => {
    await database.close();
    t.equal((await api.call('GET', '/healthz')).status, 200);
    t.equal((await api.call('GET', '/readyz')).status, 503);
  });
});
