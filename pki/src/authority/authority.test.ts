import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import { copyFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import t, { type Test } from 'tap';
import { createCsr } from '../credential/csr.ts';
import { generateKeyPair } from '../credential/keys.ts';
import { attempt, openssl, type TestAuthority, TRUST_DOMAIN, temporaryDirectory, testAuthority } from '../fixture.ts';
import { decodePem, encodePem } from '../x509-pem.ts';
import { type Issued, openAuthority } from './authority.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW = new Date('2025-06-01T12:00:00.700Z');
const now = () => NOW;
const keys = generateKeyPair();
const csrPem = createCsr(keys.privateKeyPem);
const workerId = newId('wkr');
const gatewayId = newId('gtw');

function issueWorker(authority: TestAuthority, lifetimeMs = DAY_MS): Issued {
  return authority.issueWorker({ csrPem, workerId, lifetimeMs });
}

function issueGateway(authority: TestAuthority, names: { dnsNames?: readonly string[]; ipAddresses?: readonly string[] } = {}): Issued {
  return authority.issueService({
    csrPem,
    kind: 'gateway',
    id: gatewayId,
    dnsNames: ['gateway.example'],
    ipAddresses: ['192.0.2.1'],
    lifetimeMs: 7 * DAY_MS,
    ...names,
  });
}

function chainOf({ certificateChainPem }: { certificateChainPem: string }): readonly [X509Certificate, X509Certificate] {
  const [leaf, issuing] = decodePem('CERTIFICATE', certificateChainPem, 2, 10_000).map((der) => new X509Certificate(der));
  if (leaf === undefined || issuing === undefined) {
    throw new Error('the chain is too short');
  }
  return [leaf, issuing];
}

/** OpenSSL's view of a chain under the strictest rules it has. */
function opensslVerify(t: Test, authority: TestAuthority, chain: string, purpose: string): string {
  const directory = temporaryDirectory(t);
  writeFileSync(`${directory}/root.pem`, authority.bundlePem);
  writeFileSync(`${directory}/chain.pem`, chain);
  const at = String(Math.floor(NOW.getTime() / 1000));
  return openssl([
    'verify',
    '-x509_strict',
    '-policy_check',
    '-attime',
    at,
    '-purpose',
    purpose,
    '-CAfile',
    `${directory}/root.pem`,
    '-untrusted',
    `${directory}/chain.pem`,
    `${directory}/chain.pem`,
  ]).toString();
}

t.test('OpenSSL verifies every chain strictly, each for its purposes only', async (t) => {
  const authority = await testAuthority(t, { now });
  const worker = issueWorker(authority).certificateChainPem;
  const gateway = issueGateway(authority).certificateChainPem;
  t.match(opensslVerify(t, authority, worker, 'sslclient'), /: OK/);
  t.match(opensslVerify(t, authority, gateway, 'sslclient'), /: OK/);
  t.match(opensslVerify(t, authority, gateway, 'sslserver'), /: OK/);
  t.throws(() => opensslVerify(t, authority, worker, 'sslserver'), /unsuitable certificate purpose/);
});

t.test('the profile of a worker', async (t) => {
  const authority = await testAuthority(t, { now });
  const issued = issueWorker(authority);
  const [leaf, issuing] = chainOf(issued);
  const text = openssl(['x509', '-noout', '-text'], issued.certificateChainPem).toString();
  t.equal(leaf.subject, undefined);
  t.match(text, /Subject: *\n/);
  t.match(text, /Subject Alternative Name: critical\s+URI:spiffe:\/\/jetbridge\.internal\/worker\/wkr_\w{26}\n/);
  t.match(text, /Basic Constraints: critical\s+CA:FALSE\n/);
  t.match(text, /Key Usage: critical\s+Digital Signature\n/);
  t.match(text, /Extended Key Usage: \n\s+TLS Web Client Authentication\n/);
  t.match(text, /Signature Algorithm: ecdsa-with-SHA256/);
  t.match(text, /Version: 3/);
  t.strictSame(leaf.keyUsage, ['1.3.6.1.5.5.7.3.2']);
  t.match(issuing.subject, new RegExp(`^O=${TRUST_DOMAIN}\nOU=workers\nCN=Jetbridge workers CA [0-9a-f]{8}$`));
  t.equal(leaf.validFromDate.toISOString(), '2025-06-01T11:55:00.000Z', 'backdated by five minutes');
  t.equal(leaf.validToDate.toISOString(), '2025-06-02T12:00:00.000Z');
  t.strictSame([issued.notBefore, issued.notAfter], [leaf.validFromDate, leaf.validToDate]);
  t.equal(issued.serialHex, leaf.serialNumber.toLowerCase());
  t.equal(issued.serialHex.length, 32);
  t.equal(issued.publicKeySha256, createHash('sha256').update(keys.publicKeySpki).digest('hex'));
});

t.test('the profile of a gateway', async (t) => {
  const authority = await testAuthority(t, { now });
  const issued = issueGateway(authority, { dnsNames: ['gateway.example', 'localhost'], ipAddresses: ['192.0.2.1', '2001:db8::1'] });
  const [leaf, issuing] = chainOf(issued);
  t.equal(
    leaf.subjectAltName,
    `URI:spiffe://${TRUST_DOMAIN}/gateway/${gatewayId}, DNS:gateway.example, DNS:localhost, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1`,
  );
  t.equal(leaf.subject, `CN=${gatewayId}`);
  t.strictSame(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  t.match(issuing.subject, /\nOU=services\n/);
  t.equal(leaf.validToDate.getTime() - NOW.getTime(), 7 * DAY_MS - 700);
});

t.test('the profile of the CAs', async (t) => {
  const authority = await testAuthority(t, { now });
  const root = new X509Certificate(authority.bundlePem);
  const [, workers] = chainOf(issueWorker(authority));
  const [, services] = chainOf(issueGateway(authority));
  t.ok(root.verify(root.publicKey) && workers.verify(root.publicKey) && services.verify(root.publicKey));
  t.notSame(workers.publicKey.export({ format: 'der', type: 'spki' }), services.publicKey.export({ format: 'der', type: 'spki' }));
  const years = (certificate: X509Certificate) => Math.round((certificate.validToDate.getTime() - NOW.getTime()) / (365 * DAY_MS));
  t.strictSame([root, workers, services].map(years), [10, 1, 1]);
  t.match(openssl(['x509', '-noout', '-text'], authority.bundlePem).toString(), /Basic Constraints: critical\s+CA:TRUE\n/, 'no pathlen');
  for (const issuing of [workers, services]) {
    t.match(
      openssl(['x509', '-noout', '-text'], issuing.toString()).toString(),
      /CA:TRUE, pathlen:0\s[\s\S]*Key Usage: critical\s+Certificate Sign, CRL Sign/,
    );
  }
  t.equal(
    authority.rootPin,
    createHash('sha256')
      .update(root.publicKey.export({ format: 'der', type: 'spki' }))
      .digest('hex'),
  );
  const der = openssl(['pkey', '-pubin', '-outform', 'DER'], openssl(['x509', '-noout', '-pubkey'], authority.bundlePem));
  t.equal(authority.rootPin, createHash('sha256').update(der).digest('hex'), 'as OpenSSL computes the pin');
});

t.test('serials are 16 random bytes, positive and of one width', async (t) => {
  const bytes = { fill: 0x00 };
  const authority = await openAuthority({
    directory: temporaryDirectory(t),
    kek: randomBytes(32),
    trustDomain: TRUST_DOMAIN,
    now,
    randomBytes: (size) => Buffer.alloc(size, bytes.fill),
  });
  const serial = (fill: number) => {
    bytes.fill = fill;
    return authority.issueWorker({ csrPem, workerId, lifetimeMs: DAY_MS }).serialHex;
  };
  t.strictSame([0x00, 0xff, 0x5a].map(serial), [`40${'00'.repeat(15)}`, `7f${'ff'.repeat(15)}`, '5a'.repeat(16)]);
});

t.test('renewal is due at 50 to 67 % of life', async (t) => {
  const authority = await testAuthority(t, { now });
  const times = Array.from({ length: 50 }, () => (issueWorker(authority).renewAfter.getTime() - NOW.getTime()) / DAY_MS);
  t.ok(times.every((time) => time >= 0.4999 && time <= 0.67));
  t.ok(new Set(times).size > 10, 'different for each');
});

t.test('bad requests are refused by name', async (t) => {
  const authority = await testAuthority(t, { now });
  const invalid = { code: 'invalid_argument' };
  for (const lifetimeMs of [0, -1, Number.NaN, 59_999, DAY_MS + 1, Number.POSITIVE_INFINITY]) {
    t.match(
      attempt(() => issueWorker(authority, lifetimeMs)),
      { ...invalid, message: /lifetime/ },
    );
  }
  t.match(
    attempt(() => authority.issueWorker({ csrPem: 'x', workerId, lifetimeMs: DAY_MS })),
    invalid,
  );
  for (const id of ['', 'wkr_1', gatewayId, `${workerId}/`, `${workerId}\0`, '../x']) {
    t.match(
      attempt(() => authority.issueWorker({ csrPem, workerId: id, lifetimeMs: DAY_MS })),
      invalid,
      id,
    );
  }
  for (const name of ['*.example', 'xn--80ak6aa92e.com', 'a..b', 'a\nb']) {
    t.match(
      attempt(() => issueGateway(authority, { dnsNames: [name] })),
      invalid,
      name,
    );
  }
  t.match(
    attempt(() => issueGateway(authority, { ipAddresses: ['300.0.0.1'] })),
    invalid,
  );
  t.match(
    attempt(() => issueGateway(authority, { dnsNames: Array.from({ length: 33 }, (_, n) => `a${n}`) })),
    invalid,
  );
});

t.test('files are private; opening again changes nothing', async (t) => {
  const authority = await testAuthority(t, { now });
  const files = readdirSync(authority.directory).sort();
  t.strictSame(files, ['root.key', 'root.pem', 'services-ca.key', 'services-ca.pem', 'workers-ca.key', 'workers-ca.pem']);
  const modes = () =>
    files.map((file) => [file, statSync(join(authority.directory, file)).mode & 0o7777, statSync(join(authority.directory, file)).mtimeMs]);
  t.ok(modes().every(([, mode]) => mode === 0o600));
  t.equal(statSync(authority.directory).mode & 0o7777, 0o700);
  const before = modes();
  const again = await reopened(authority);
  t.strictSame(modes(), before);
  t.equal(again.rootPin, authority.rootPin);
  t.equal(again.bundlePem, authority.bundlePem);
  t.match(
    opensslVerify(t, authority, again.issueWorker({ csrPem, workerId, lifetimeMs: DAY_MS }).certificateChainPem, 'sslclient'),
    /: OK/,
  );
});

function reopened(authority: TestAuthority, changes: Partial<Parameters<typeof openAuthority>[0]> = {}): ReturnType<typeof openAuthority> {
  const { directory, kek, trustDomain } = authority;
  return openAuthority({ directory, kek, trustDomain, now, randomBytes, ...changes });
}

t.test('a start that was cut off is completed with the key that was written', async (t) => {
  const authority = await testAuthority(t, { now });
  for (const file of ['root.pem', 'workers-ca.pem', 'services-ca.key', 'services-ca.pem']) {
    rmSync(join(authority.directory, file));
  }
  t.equal((await reopened(authority)).rootPin, authority.rootPin);
});

t.test('what does not belong together is refused, and nothing is replaced', async (t) => {
  const authority = await testAuthority(t, { now });
  const other = await testAuthority(t, { now });
  const path = (file: string, of = authority) => join(of.directory, file);
  await t.rejects(reopened(authority, { kek: other.kek }), { code: 'failed_precondition', message: /key encryption key/ });
  await t.rejects(reopened(authority, { trustDomain: 'other.internal' }), {
    code: 'failed_precondition',
    message: /trust domain jetbridge\.internal/,
  });
  await t.rejects(reopened(authority, { trustDomain: 'Not A Domain' }), { code: 'invalid_argument' });
  await t.rejects(reopened(authority, { trustDomain: 'a'.repeat(65) }), { code: 'invalid_argument' });
  copyFileSync(path('workers-ca.pem'), path('workers-ca.saved'));
  copyFileSync(path('services-ca.pem'), path('workers-ca.pem'));
  await t.rejects(reopened(authority), { code: 'data_loss', message: /workers-ca\.pem is not the certificate/ });
  copyFileSync(path('workers-ca.pem', other), path('workers-ca.pem'));
  await t.rejects(reopened(authority), { code: 'data_loss' });
  const der = Buffer.from(new X509Certificate(readFileSync(path('workers-ca.saved'))).raw);
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  writeFileSync(path('workers-ca.pem'), encodePem('CERTIFICATE', der));
  await t.rejects(reopened(authority), { code: 'data_loss' }, 'a signature that is not of the root');
  copyFileSync(path('workers-ca.saved'), path('workers-ca.pem'));
  await reopened(authority);
  copyFileSync(path('services-ca.key'), path('workers-ca.key'));
  await t.rejects(reopened(authority), { code: 'failed_precondition' }, 'a key sealed for another purpose');
  rmSync(path('workers-ca.key'));
  await t.rejects(reopened(authority), { code: 'data_loss', message: /workers-ca\.key is missing/ });
  t.notOk(readdirSync(authority.directory).includes('workers-ca.key'));
});

t.test('no leaf outlives its issuing CA, and an expired one issues nothing', async (t) => {
  let time = NOW.getTime();
  const authority = await testAuthority(t, { now: () => new Date(time) });
  const { validToDate } = chainOf(issueWorker(authority))[1];
  time = validToDate.getTime() - HOUR_MS;
  t.strictSame(issueWorker(authority).notAfter, validToDate);
  time = validToDate.getTime();
  const refusal = attempt(() => issueWorker(authority));
  t.type(refusal, StatusError);
  t.match(refusal, { code: 'failed_precondition', message: /issuing CA expired/ });
});
