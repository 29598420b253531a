import t from 'tap';
import {
  LAST_USED_GRAIN_MS,
  MAX_PASSWORD_CHECKS,
  MAX_QUEUED_PASSWORD_CHECKS,
  SESSION_TTL_MS,
  SIGN_INS_PER_NAME_AND_ADDRESS,
} from '../limits.ts';
import { enrolled, openTestApi, type TestApi } from '../testing/api.ts';
import { onEachDatabase } from '../testing/databases.ts';

const PASSWORD = 'correct horse battery';

function signIn(api: TestApi, username: string, password: string, address = '192.0.2.1') {
  return api.call('POST', '/v1/sign-in', { body: { username, password }, address });
}

async function newPrincipal(api: TestApi, name: string, more: object = { kind: 'person', password: PASSWORD }) {
  return (
    await api.call('POST', '/v1/principals', { bearer: await api.admin(), body: { name, kind: 'person', roles: ['member'], ...more } })
  ).body;
}

async function gatewayPeer(api: TestApi, name: string): Promise<string> {
  const { id } = await enrolled(api, { kind: 'gateway', name, dnsNames: ['localhost'] });
  return `gateway/${id}`;
}

onEachDatabase(t, async (t, open) => {
  const api = await openTestApi(t, await open(t));

  await t.test('signing in gives a token that works until signing out', async (t) => {
    const { status, body } = await signIn(api, 'admin', api.adminPassword);
    t.equal(status, 200);
    t.match(body, { accessToken: /^jba_/, principal: { id: /^prn_/, name: 'admin', kind: 'person', roles: ['admin'] } });
    const bearer = body.accessToken;
    t.same((await api.call('GET', '/v1/principals/self', { bearer })).body, body.principal);
    t.equal((await api.call('POST', '/v1/sign-out', { bearer })).status, 204);
    const after = await api.call('GET', '/v1/principals/self', { bearer });
    t.equal(after.status, 401);
    t.equal(after.headers['www-authenticate'], 'Bearer');
  });

  await t.test('a session ends after its time', async (t) => {
    const { body } = await signIn(api, 'admin', api.adminPassword);
    api.clock.advance(SESSION_TTL_MS);
    t.equal((await api.call('GET', '/v1/principals/self', { bearer: body.accessToken })).status, 401);
  });

  await t.test('every failure to sign in reads alike', async (t) => {
    await newPrincipal(api, 'machine', { kind: 'service' });
    const failures = [
      await signIn(api, 'admin', 'wrong'),
      await signIn(api, 'nobody', 'wrong'),
      await signIn(api, 'machine', 'wrong'),
      await signIn(api, 'ADMIN', api.adminPassword),
    ];
    for (const failure of failures) {
      t.equal(failure.status, 401);
      t.equal(failure.text, failures[0]?.text);
    }
    for (const bearer of ['nonsense', `jba_${'0'.repeat(26)}_${'A'.repeat(43)}`]) {
      t.equal((await api.call('GET', '/v1/principals/self', { bearer })).status, 401);
    }
  });

  await t.test('guessing is limited per name and address, and right passwords do not count', async (t) => {
    await newPrincipal(api, 'guessed');
    for (let count = 0; count < SIGN_INS_PER_NAME_AND_ADDRESS.max * 2; count += 1) {
      t.equal((await signIn(api, 'guessed', PASSWORD)).status, 200);
    }
    const guesses = await Promise.all(
      Array.from({ length: SIGN_INS_PER_NAME_AND_ADDRESS.max + 3 }, (_, count) => signIn(api, 'guessed', `guess ${count}`)),
    );
    t.equal(guesses.filter(({ status }) => status === 401).length, SIGN_INS_PER_NAME_AND_ADDRESS.max);
    const limited = await signIn(api, 'guessed', PASSWORD);
    t.equal(limited.status, 429);
    t.equal(limited.headers['retry-after'], '60');
    t.equal((await signIn(api, 'guessed', PASSWORD, '192.0.2.2')).status, 200, 'from elsewhere it works');
    api.clock.advance(SIGN_INS_PER_NAME_AND_ADDRESS.windowMs);
    t.equal((await signIn(api, 'guessed', PASSWORD)).status, 200, 'later it works');
  });

  await t.test('more sign-ins at once than the queue holds are told to come back', async (t) => {
    const room = MAX_PASSWORD_CHECKS + MAX_QUEUED_PASSWORD_CHECKS;
    const answers = await Promise.all(
      Array.from({ length: room + 20 }, (_, count) => signIn(api, `crowd-${count}`, 'wrong', `198.51.100.${count}`)),
    );
    t.ok(answers.every(({ status }) => status === 401 || status === 429));
    t.ok(answers.filter(({ status }) => status === 401).length >= room);
  });

  await t.test('named tokens: shown once, listed without secret, coarse last use, revoked', async (t) => {
    await newPrincipal(api, 'tokenist');
    const session = (await signIn(api, 'tokenist', PASSWORD)).body.accessToken;
    const created = await api.call('POST', '/v1/access-tokens', { bearer: session, body: { name: 'laptop', ttlS: 3600 } });
    t.equal(created.status, 201);
    const bearer = created.body.accessToken;
    const listed = async () => (await api.call('GET', '/v1/access-tokens', { bearer: session })).body.accessTokens[0];
    t.match(await listed(), { id: created.body.id, name: 'laptop', expiresAt: created.body.expiresAt });
    t.notOk('lastUsedAt' in (await listed()));
    t.equal((await api.call('GET', '/v1/principals/self', { bearer })).body.name, 'tokenist');
    const { lastUsedAt } = await listed();
    api.clock.advance(LAST_USED_GRAIN_MS - 1);
    await api.call('GET', '/v1/principals/self', { bearer });
    t.equal((await listed()).lastUsedAt, lastUsedAt, 'not written again so soon');
    t.equal((await api.call('POST', '/v1/sign-out', { bearer })).status, 412, 'signing out is for sessions');
    t.equal((await api.call('DELETE', `/v1/access-tokens/${created.body.id}`, { bearer: session })).status, 204);
    t.equal((await api.call('GET', '/v1/principals/self', { bearer })).status, 401);
    t.equal((await api.call('DELETE', `/v1/access-tokens/${created.body.id}`, { bearer: session })).status, 404);
  });

  await t.test('members may not do what admins may, nor touch tokens of others', async (t) => {
    const { id: serviceId } = await newPrincipal(api, 'etl', { kind: 'service' });
    const { id: personId } = await newPrincipal(api, 'member');
    const bearer = (await signIn(api, 'member', PASSWORD)).body.accessToken;
    for (const url of ['/v1/principals', '/v1/enrollment-tokens', '/v1/audit']) {
      t.equal((await api.call('GET', url, { bearer })).status, 403);
    }
    const admin = await api.admin();
    const forService = await api.call('POST', '/v1/access-tokens', { bearer: admin, body: { name: 'nightly', principalId: serviceId } });
    t.equal(forService.status, 201);
    t.equal((await api.call('GET', '/v1/principals/self', { bearer: forService.body.accessToken })).body.name, 'etl');
    t.equal((await api.call('POST', '/v1/access-tokens', { bearer, body: { name: 'x', principalId: serviceId } })).status, 403);
    t.equal((await api.call('POST', '/v1/access-tokens', { bearer: admin, body: { name: 'x', principalId: personId } })).status, 403);
    t.equal((await api.call('DELETE', `/v1/access-tokens/${forService.body.id}`, { bearer })).status, 404);
    t.equal(
      (await api.call('POST', '/v1/principals', { bearer: admin, body: { name: 'etl', kind: 'service', roles: ['member'] } })).status,
      409,
    );
    t.match(
      (await api.call('POST', '/v1/principals', { bearer: admin, body: { name: 'p', kind: 'person', roles: ['member'] } })).body.detail,
      /body\.password is required/,
    );
  });

  await t.test('a gateway authenticates its callers', async (t) => {
    const peer = await gatewayPeer(api, 'gw-1');
    const authenticate = (body: object) => api.call('POST', '/v1/gateway/authenticate', { peer, body });
    const basic = await authenticate({ basic: { username: 'admin', password: api.adminPassword } });
    t.match(basic.body, { principal: { name: 'admin' }, expiresAt: /Z$/ });
    t.notOk('sessionId' in basic.body);
    t.equal((await authenticate({ basic: { username: 'admin', password: 'wrong' } })).status, 401);

    const session = await api.call('POST', '/v1/gateway/sessions', {
      peer,
      body: { username: 'admin', password: api.adminPassword, clientAddress: '203.0.113.5' },
    });
    t.match(session.body, { accessToken: /^jba_/, sessionId: /^ses_/, principal: { name: 'admin' } });
    t.equal((await authenticate({ bearer: session.body.accessToken })).body.sessionId, session.body.sessionId);
    t.equal((await authenticate({ bearer: 'nonsense' })).status, 401);
    t.equal((await authenticate({})).status, 400);
    t.equal((await authenticate({ bearer: 'x', basic: { username: 'a', password: 'b' } })).status, 400);
  });

  await t.test('an access token stands in for the password of its own principal, and its sessions end with it', async (t) => {
    const peer = await gatewayPeer(api, 'gw-2');
    const admin = await api.admin();
    const { id, accessToken } = (await api.call('POST', '/v1/access-tokens', { bearer: admin, body: { name: 'bi', ttlS: 60 } })).body;
    const sessions = (username: string) =>
      api.call('POST', '/v1/gateway/sessions', { peer, body: { username, password: accessToken, clientAddress: '203.0.113.5' } });
    t.equal((await sessions('etl')).status, 401, 'not for another name');
    const { body } = await sessions('admin');
    t.ok(Date.parse(body.expiresAt) <= api.clock.now().getTime() + 60_000, 'no longer than the token');
    const own = () => api.call('GET', '/v1/principals/self', { bearer: body.accessToken });
    t.equal((await own()).status, 200);
    await api.call('DELETE', `/v1/access-tokens/${id}`, { bearer: admin });
    t.equal((await own()).status, 401);
  });
});
