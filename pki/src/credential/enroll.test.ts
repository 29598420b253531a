import { hash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { type EnrollReply, type EnrollRequest, formatEnrollmentToken, parseEnrollmentToken } from '@jetbridge/proto/enrollment';
import { newId } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import t, { type Test } from 'tap';
import type { Authority } from '../authority/authority.ts';
import { listen, serviceCredential, TRUST_DOMAIN, testAuthority, workerCredential } from '../fixture.ts';
import { encodePem } from '../x509-pem.ts';
import { createCsr } from './csr.ts';
import { type Answer, type FakeControl, type FakeControlOptions, serveEnrollment } from './enroll.fixture.ts';
import { type EnrollOptions, enroll } from './enroll.ts';
import { generateKeyPair } from './keys.ts';

const authority = await testAuthority(t);
const other = await testAuthority(t);
const SECRET = 'A'.repeat(43);
const HOUR_MS = 3_600_000;

function tokenFor({ rootPin }: Authority): string {
  return formatEnrollmentToken({ id: newId('enr'), secret: SECRET, rootPin });
}

const workerId = newId('wkr');

function replyTo({ csr }: EnrollRequest, by: Authority = authority): EnrollReply {
  const issued = by.issueWorker({ csrPem: csr, workerId, lifetimeMs: 24 * HOUR_MS });
  return {
    ...{ id: workerId, name: 'north', kind: 'worker', pool: 'default', trustDomain: by.trustDomain, bundlePem: by.bundlePem },
    ...{
      certificateChainPem: issued.certificateChainPem,
      notAfter: issued.notAfter.toISOString(),
      renewAfter: issued.renewAfter.toISOString(),
    },
    gateways: [{ id: newId('gtw'), tunnelAddress: '127.0.0.1:31338', serverName: 'localhost' }],
  };
}

function enrolled(request: EnrollRequest): Answer {
  return { status: 200, body: replyTo(request) };
}

function fakeControl(t: Test, changes: Partial<FakeControlOptions> = {}): Promise<FakeControl> {
  return serveEnrollment(t, {
    credential: serviceCredential(authority, 'control-api'),
    bundlePem: authority.bundlePem,
    answer: enrolled,
    ...changes,
  });
}

function options(url: string, changes: Partial<EnrollOptions> = {}): EnrollOptions {
  const neverAgain = { wait: async () => Promise.reject(new StatusError('internal', 'another attempt was made')) };
  return {
    controlUrl: url,
    token: tokenFor(authority),
    keys: generateKeyPair(),
    signal: AbortSignal.timeout(20_000),
    retry: neverAgain,
    ...changes,
  };
}

t.test('a token becomes a credential', async (t) => {
  const control = await fakeControl(t);
  const keys = generateKeyPair();
  const token = tokenFor(authority);
  const result = await enroll(options(control.url, { keys, token: ` ${token}\n` }));
  t.match(result, { id: workerId, name: 'north', pool: 'default', credential: { identity: { kind: 'worker', id: workerId } } });
  t.equal(result.credential.privateKeyPem, keys.privateKeyPem);
  t.strictSame(
    new X509Certificate(result.credential.certificateChainPem).publicKey.export({ format: 'der', type: 'spki' }),
    keys.publicKeySpki,
  );
  const [first = '', second = ''] = control.requests;
  t.equal(control.requests.length, 2);
  t.equal(first, 'GET /v1/pki/bundle ', 'the request without authentication carries nothing');
  const sent = JSON.parse(second.slice('POST /v1/enroll '.length));
  t.strictSame(Object.keys(sent).sort(), ['csr', 'token']);
  t.equal(sent.token, token);
  t.notMatch(second, /PRIVATE KEY/);
});

/** The enrollment fails, and in nothing that the server received is any part of the token. */
async function tokenStaysHome(
  t: Test,
  control: FakeControl,
  token: string,
  error: { readonly code: string; readonly message?: RegExp },
  what: string,
): Promise<void> {
  await t.rejects(enroll(options(control.url, { token })), error, what);
  const { id, secret } = parseEnrollmentToken(token);
  const received = control.requests.join('\n');
  t.notOk(received.includes(secret) || received.includes(id) || received.includes('POST'), `${what}: the server never saw the token`);
}

t.test('behind a wrong pin the token is never sent', async (t) => {
  const error = {
    code: 'permission_denied',
    message: /token was not sent: it pins the root [0-9a-f]{64}, the server shows [0-9a-f]{64}\. Check the control URL/,
  };
  await tokenStaysHome(t, await fakeControl(t), tokenFor(other), error, 'a token of another control-api');
  const impostor = await fakeControl(t, { credential: serviceCredential(other, 'control-api'), bundlePem: other.bundlePem });
  await tokenStaysHome(t, impostor, tokenFor(authority), error, 'another control-api at this address');
});

t.test('a server that knows our root but is not our control-api never sees the token', async (t) => {
  const token = tokenFor(authority);
  const untrusted = { code: 'unauthenticated', message: /no certificate from the expected Jetbridge root/ };
  await tokenStaysHome(
    t,
    await fakeControl(t, { credential: serviceCredential(other, 'control-api') }),
    token,
    untrusted,
    'a stranger that copied the bundle',
  );
  const both = other.bundlePem + authority.bundlePem;
  await tokenStaysHome(
    t,
    await fakeControl(t, { credential: serviceCredential(other, 'control-api'), bundlePem: both }),
    token,
    untrusted,
    'a stranger that slips its root into the bundle',
  );
  const gateway = await fakeControl(t, { credential: serviceCredential(authority, 'gateway') });
  await tokenStaysHome(
    t,
    gateway,
    token,
    { code: 'permission_denied', message: /of a gateway, not of a control-api/ },
    'a gateway of ours',
  );
  await tokenStaysHome(
    t,
    await fakeControl(t, { credential: workerCredential(authority) }),
    token,
    { code: 'unauthenticated' },
    'a worker of ours',
  );
});

t.test('during a roll-over the pinned root is found among several', async (t) => {
  const control = await fakeControl(t, { bundlePem: other.bundlePem + authority.bundlePem });
  t.match(await enroll(options(control.url)), { id: workerId });
});

t.test('a refused token is explained and not tried again', async (t) => {
  const control = await fakeControl(t, { answer: () => ({ status: 401, body: { code: 'unauthenticated', detail: 'no' } }) });
  await t.rejects(enroll(options(control.url)), {
    code: 'unauthenticated',
    message: /unknown, expired or used already.*enroll-token create/,
  });
  t.equal(control.requests.length, 2);
});

t.test('a problem keeps its own words', async (t) => {
  const control = await fakeControl(t, {
    answer: () => ({ status: 429, body: { code: 'resource_exhausted', detail: 'too many enrollments' } }),
  });
  await t.rejects(enroll(options(control.url)), { code: 'resource_exhausted', message: 'too many enrollments' });
});

t.test('a lost reply is asked for again with the same key', async (t) => {
  const seen: EnrollRequest[] = [];
  const delays: number[] = [];
  const control = await fakeControl(t, {
    answer: (request) => {
      seen.push(request);
      return seen.length < 3 ? undefined : enrolled(request);
    },
  });
  const retry = {
    random: () => 0,
    wait: async () => undefined,
    onRetry: (error: StatusError, delayMs: number) => t.equal(error.code, 'unavailable') && delays.push(delayMs),
  };
  t.match(await enroll(options(control.url, { retry })), { id: workerId });
  t.equal(seen.length, 3);
  t.strictSame(seen[2], seen[0], 'the same token and the same request');
  t.strictSame(delays, [100, 200]);
});

t.test('a control-api that is not there yet is waited for; delays grow to a bound, with jitter; attempts are bounded', async (t) => {
  const closed = createServer();
  const url = `https://127.0.0.1:${await listen(t, closed)}`;
  closed.close();
  await once(closed, 'close');
  for (const [random, expected] of [
    [0, [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000, 5000, 5000]],
    [0.999999, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000, 10_000, 10_000]],
  ] as const) {
    const delays: number[] = [];
    const wait = async (delayMs: number) => void delays.push(Math.round(delayMs));
    await t.rejects(enroll(options(url, { retry: { random: () => random, wait } })), {
      code: 'unavailable',
      message: /nothing answers at 127\.0\.0\.1/,
    });
    t.strictSame(delays, expected);
  }
});

t.test('waiting ends when the signal comes', async (t) => {
  const control = await fakeControl(t, { answer: () => undefined });
  const abort = new AbortController();
  const { retry: _, ...withClock } = options(control.url, { signal: abort.signal });
  await t.rejects(enroll({ ...withClock, retry: { onRetry: () => abort.abort() } }), { code: 'cancelled' });
});

t.test('a clock that is off is named', async (t) => {
  const control = await fakeControl(t);
  const now = () => new Date(Date.now() - HOUR_MS);
  await t.rejects(enroll(options(control.url, { now })), {
    code: 'failed_precondition',
    message: /this machine's clock says .* set the clock/,
  });
  const past = await testAuthority(t, { now: () => new Date(Date.now() - 30 * 24 * HOUR_MS) });
  const expired = await fakeControl(t, { credential: serviceCredential(past, 'control-api'), bundlePem: past.bundlePem });
  await tokenStaysHome(
    t,
    expired,
    tokenFor(past),
    { code: 'failed_precondition', message: /expired by this machine's clock/ },
    'an expired server',
  );
});

t.test('an answer is believed only as far as it fits', async (t) => {
  const changed = (change: (reply: EnrollReply) => object) =>
    fakeControl(t, { answer: (request) => ({ status: 200, body: change(replyTo(request)) }) });
  const foreignKey = generateKeyPair();
  for (const [what, change, message] of [
    [
      'a certificate for another key',
      (reply: EnrollReply) => ({
        ...reply,
        certificateChainPem: replyTo({ token: '', csr: createCsr(foreignKey.privateKeyPem) }).certificateChainPem,
      }),
      /for another key/,
    ],
    ['another id', (reply: EnrollReply) => ({ ...reply, id: newId('wkr') }), /another identity/],
    ['another kind', (reply: EnrollReply) => ({ ...reply, kind: 'gateway' }), /another identity/],
    ['another trust domain', (reply: EnrollReply) => ({ ...reply, trustDomain: 'other.internal' }), /another identity/],
    ['roots of somebody else', (reply: EnrollReply) => ({ ...reply, bundlePem: other.bundlePem }), /does not lead to one of the roots/],
    ['no chain', (reply: EnrollReply) => ({ ...reply, certificateChainPem: '' }), /malformed/],
    ['no gateways', (reply: EnrollReply) => ({ ...reply, gateways: undefined }), /matching versions/],
    ['a gateway without an address', (reply: EnrollReply) => ({ ...reply, gateways: [{ id: 'x' }] }), /matching versions/],
    ['nothing', () => ({}), /matching versions/],
  ] as const) {
    await t.rejects(enroll(options((await changed(change)).url)), { name: 'StatusError', message }, what);
  }
  const elsewhere = await fakeControl(t, { answer: (request) => ({ status: 200, body: replyTo(request, other) }) });
  await t.rejects(
    enroll(options(elsewhere.url)),
    { message: /lack the one the enrollment token pins/ },
    'a whole chain of another authority',
  );
});

t.test('a server that is no control-api', async (t) => {
  for (const bundlePem of ['', 'x', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n', authority.bundlePem.repeat(5)]) {
    await tokenStaysHome(
      t,
      await fakeControl(t, { bundlePem }),
      tokenFor(authority),
      { code: 'failed_precondition', message: /does not answer like a control-api/ },
      'its bundle',
    );
  }
});

t.test('a root that has the pinned key but another content is refused', async (t) => {
  const leaf = serviceCredential(authority, 'control-api');
  const [pem = ''] = leaf.certificateChainPem.split(/(?<=END CERTIFICATE-----\n)/);
  const spki = new X509Certificate(pem).publicKey.export({ format: 'der', type: 'spki' });
  const token = formatEnrollmentToken({ id: newId('enr'), secret: SECRET, rootPin: hash('sha256', spki, 'hex') });
  await tokenStaysHome(
    t,
    await fakeControl(t, { bundlePem: pem }),
    token,
    { code: 'failed_precondition', message: /not one that Jetbridge makes/ },
    'a leaf as a root',
  );
});

t.test('a root that has the pinned key but was changed is refused', async (t) => {
  const der = Buffer.from(
    new X509Certificate(authority.bundlePem).raw.toString('latin1').replaceAll(TRUST_DOMAIN, 'jetbridge.interna1'),
    'latin1',
  );
  const control = await fakeControl(t, { bundlePem: encodePem('CERTIFICATE', der) });
  const error = { code: 'failed_precondition', message: /not one that Jetbridge makes/ };
  await tokenStaysHome(t, control, tokenFor(authority), error, 'another trust domain in the pinned root');
});

t.test('a malformed token or URL is refused without any connection', async (t) => {
  const control = await fakeControl(t);
  for (const token of ['', 'jbe_x', tokenFor(authority).slice(0, -1), `${tokenFor(authority)}0`]) {
    await t.rejects(enroll(options(control.url, { token })), { code: 'invalid_argument', message: /not an enrollment token/ });
  }
  await t.rejects(enroll(options(control.url.replace('https', 'http'))), { code: 'invalid_argument', message: /https:/ });
  t.strictSame(control.requests, []);
});
