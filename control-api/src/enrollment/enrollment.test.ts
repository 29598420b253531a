import { X509Certificate } from 'node:crypto';
import { createCsr } from '@jetbridge/pki/credential/csr';
import { generateKeyPair } from '@jetbridge/pki/credential/keys';
import t from 'tap';
import { ENROLLMENT_REPLAY_MS, ENROLLMENTS_PER_ADDRESS, WORKER_CREDENTIAL_MS } from '../limits.ts';
import { newCsr, openTestApi, type TestApi } from '../testing/api.ts';
import { onEachDatabase } from '../testing/databases.ts';

async function newToken(api: TestApi, name: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const { status, body } = await api.call('POST', '/v1/enrollment-tokens', {
    bearer: await api.admin(),
    body: { kind: 'worker', name, ...more },
  });
  if (status !== 201) {
    throw new Error(body.detail);
  }
  return body.token;
}

function enroll(api: TestApi, token: string, csr: string, address?: string) {
  return api.call('POST', '/v1/enroll', { body: { token, csr }, ...(address === undefined ? {} : { address }) });
}

function withAnotherSignature(csr: string): string {
  const [, text = ''] = /-----BEGIN CERTIFICATE REQUEST-----\n(.*)\n-----END/s.exec(csr) ?? [];
  const der = Buffer.from(text, 'base64');
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

onEachDatabase(t, async (t, open) => {
  const api = await openTestApi(t, await open(t));

  await t.test('a token gives a worker its credential', async (t) => {
    const { status, body } = await enroll(api, await newToken(api, 'first', { pool: 'files', labels: { zone: 'a' } }), newCsr());
    t.equal(status, 200);
    t.match(body, {
      name: 'first',
      kind: 'worker',
      pool: 'files',
      trustDomain: 'test.internal',
      bundlePem: api.authority.bundlePem,
      gateways: [],
    });
    const leaf = new X509Certificate(body.certificateChainPem);
    t.equal(leaf.subjectAltName, `URI:spiffe://test.internal/worker/${body.id}`);
    t.ok(body.renewAfter < body.notAfter);
    const worker = await api.call('GET', `/v1/workers/${body.id}`, { bearer: await api.admin() });
    t.match(worker.body, { name: 'first', pool: 'files', labels: { zone: 'a' }, state: 'active', online: false });
  });

  await t.test('of 60 at once with one token, exactly one gets in', async (t) => {
    const token = await newToken(api, 'crowd');
    const csrs = Array.from({ length: 60 }, newCsr);
    const answers = await Promise.all(csrs.map((csr) => enroll(api, token, csr, '192.0.2.60')));
    t.equal(answers.filter(({ status }) => status === 200).length, 1);
    t.equal(answers.filter(({ status }) => status === 401).length, 59);
    const { workers } = (await api.call('GET', '/v1/workers', { bearer: await api.admin() })).body;
    t.equal(workers.filter((worker: { name: string }) => worker.name === 'crowd').length, 1);
  });

  await t.test('replayed, expired, revoked, malformed, unknown and wrong tokens get one and the same answer', async (t) => {
    const used = await newToken(api, 'used');
    t.equal((await enroll(api, used, newCsr())).status, 200);
    const expired = await newToken(api, 'expired', { ttlS: 60 });
    const revoked = await api.call('POST', '/v1/enrollment-tokens', {
      bearer: await api.admin(),
      body: { kind: 'worker', name: 'revoked' },
    });
    t.equal((await api.call('DELETE', `/v1/enrollment-tokens/${revoked.body.id}`, { bearer: await api.admin() })).status, 204);
    const [id = '', rest = ''] = used.split(/_(?=.{108}$)/);
    const wrongSecret = `${id}_${'A'.repeat(43)}${rest.slice(43)}`;
    const unknown = used.replace(id, `jbe_${'0'.repeat(26)}`);
    api.clock.advance(61_000);
    const csr = newCsr();
    const answers = await Promise.all(
      [used, expired, revoked.body.token, 'nonsense', unknown, wrongSecret].map((token) => enroll(api, token, csr)),
    );
    for (const answer of answers) {
      t.equal(answer.status, 401);
      t.equal(answer.text, answers[0]?.text);
    }
    const { records } = (await api.call('GET', '/v1/audit?limit=50', { bearer: await api.admin() })).body;
    const reasons = records
      .filter((record: { action: string; outcome: string }) => record.action === 'enroll' && record.outcome === 'failure')
      .map((record: { detail: { reason: string } }) => record.detail.reason);
    for (const reason of ['used', 'expired', 'revoked', 'malformed', 'unknown', 'wrong_secret']) {
      t.ok(reasons.includes(reason), `the audit says ${reason}`);
    }
  });

  await t.test('a bad CSR does not use the token up', async (t) => {
    const token = await newToken(api, 'clumsy');
    const csr = newCsr();
    for (const bad of ['nonsense', csr.slice(0, -60), withAnotherSignature(csr)]) {
      t.equal((await enroll(api, token, bad)).status, 400);
    }
    t.equal((await enroll(api, token, csr)).status, 200);
  });

  await t.test('a lost reply is given again for the same key, soon after', async (t) => {
    const token = await newToken(api, 'deaf');
    const { privateKeyPem } = generateKeyPair();
    const first = await enroll(api, token, createCsr(privateKeyPem));
    const again = await enroll(api, token, createCsr(privateKeyPem));
    t.equal(again.status, 200);
    t.same(again.body, first.body);
    t.equal((await enroll(api, token, newCsr())).status, 401, 'not for another key');
    api.clock.advance(ENROLLMENT_REPLAY_MS + 1);
    t.equal((await enroll(api, token, createCsr(privateKeyPem))).status, 401, 'not later');
  });

  await t.test('a name belongs to one active worker until its credential expires', async (t) => {
    const [first, second] = [await newToken(api, 'twin'), await newToken(api, 'twin')];
    t.equal((await enroll(api, first, newCsr())).status, 200);
    const late = await enroll(api, second, newCsr());
    t.equal(late.status, 409);
    t.match(late.body.detail, /another active worker has the name "twin"/);
    const create = () =>
      api.admin().then((bearer) => api.call('POST', '/v1/enrollment-tokens', { bearer, body: { kind: 'worker', name: 'twin' } }));
    t.equal((await create()).status, 409);
    api.clock.advance(WORKER_CREDENTIAL_MS + 1000);
    const { status, body } = await create();
    t.equal(status, 201);
    t.equal((await enroll(api, body.token, newCsr())).status, 200);
  });

  await t.test('a gateway gets the names that the token fixed', async (t) => {
    const token = await newToken(api, 'edge', {
      kind: 'gateway',
      dnsNames: ['gw.example.com'],
      ipAddresses: ['192.0.2.7'],
      tunnelAddress: 'gw.example.com:31338',
    });
    const { body } = await enroll(api, token, newCsr());
    t.match(body, { kind: 'gateway', name: 'edge' });
    t.equal(body.pool, undefined);
    t.equal(
      new X509Certificate(body.certificateChainPem).subjectAltName,
      `URI:spiffe://test.internal/gateway/${body.id}, DNS:gw.example.com, IP Address:192.0.2.7`,
    );
  });

  await t.test('a token that makes no sense is refused with the reason', async (t) => {
    const bearer = await api.admin();
    const refused = async (body: object): Promise<string> => {
      const answer = await api.call('POST', '/v1/enrollment-tokens', { bearer, body });
      t.equal(answer.status, 400);
      return answer.body.detail;
    };
    t.match(await refused({ kind: 'worker', name: 'xn--a' }), /body\.name/);
    t.match(await refused({ kind: 'worker', name: 'a..b' }), /body\.name/);
    t.match(await refused({ kind: 'worker', name: 'a', dnsNames: ['a.example.com'] }), /for gateways/);
    t.match(await refused({ kind: 'gateway', name: 'a' }), /body\.dnsNames/);
    t.match(await refused({ kind: 'gateway', name: 'a', dnsNames: ['*.example.com'] }), /body\.dnsNames/);
    t.match(await refused({ kind: 'gateway', name: 'a', ipAddresses: ['1.2.3'] }), /body\.ipAddresses/);
    t.match(await refused({ kind: 'worker', name: 'a', ttlS: 1 }), /body\.ttlS/);
  });

  await t.test('secrets are neither in logs nor in the database', async (t) => {
    const token = await newToken(api, 'secretive');
    const { privateKeyPem } = generateKeyPair();
    await enroll(api, token, createCsr(privateKeyPem));
    const bearer = await api.admin();
    const secrets = [token.slice(31, 74), bearer.slice(31), api.adminPassword];
    const tables = ['principal', 'access_token', 'enrollment_token', 'worker', 'gateway', 'tunnel', 'audit'] as const;
    const stored = JSON.stringify(await Promise.all(tables.map((table) => api.rows.selectFrom(table).selectAll().execute())));
    t.match(stored, /secretive/, 'the scan sees the rows');
    t.ok(api.logs.length > 20, 'the scan sees logs');
    for (const secret of secrets) {
      t.ok(secret.length >= 24);
      t.notOk(stored.includes(secret));
      t.notOk(api.logs.some((line) => line.includes(secret)));
    }
  });

  await t.test('floods are answered 429 with the time to wait', async (t) => {
    const answers = await Promise.all(
      Array.from({ length: ENROLLMENTS_PER_ADDRESS.max + 5 }, () => enroll(api, 'nonsense', 'nonsense', '192.0.2.99')),
    );
    const limited = answers.filter(({ status }) => status === 429);
    t.equal(limited.length, 5);
    t.match(limited[0]?.headers['retry-after'], /^[1-9][0-9]*$/);
    t.equal((await enroll(api, 'nonsense', 'nonsense', '192.0.2.98')).status, 401, 'others are served');
    const large = await api.call('POST', '/v1/enroll', { body: { token: 'x', csr: 'x'.repeat(9000) } });
    t.equal(large.status, 413);
    t.equal(large.headers['content-type'], 'application/problem+json');
  });
});
