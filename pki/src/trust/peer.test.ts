import { createPublicKey } from 'node:crypto';
import { newId } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import t, { type Test } from 'tap';
import {
  admission,
  oddCertificate,
  serviceCredential,
  signerOf,
  stealCa,
  TRUST_DOMAIN,
  testAuthority,
  workerCredential,
  workerUri,
} from '../fixture.ts';
import type { CertificateRole } from '../x509-certificate.ts';
import type { ExpectedPeer } from './peer.ts';
import { controlListenerOptions, mutualClientOptions, tunnelDialOptions, tunnelListenerOptions } from './tls.ts';

const authority = await testAuthority(t);
const gateway = serviceCredential(authority, 'gateway');
const worker = workerCredential(authority);
const workers = await stealCa(authority, 'workers');
const services = await stealCa(authority, 'services');

const WORKER: ExpectedPeer = { kind: 'worker', usage: 'client', trustDomain: TRUST_DOMAIN };
const tunnelListener = tunnelListenerOptions(() => gateway);
const dial = tunnelDialOptions(() => worker);

function leaf(role: Partial<CertificateRole & { type: 'leaf' }>): { role: CertificateRole } {
  return { role: { type: 'leaf', extendedKeyUsages: ['clientAuth'], names: [{ type: 'uri', value: workerUri() }], ...role } };
}

async function refused(t: Test, at: Promise<unknown>, code: StatusError['code'], reason: RegExp): Promise<void> {
  const outcome = await at;
  t.type(outcome, StatusError, `refused: ${reason}`);
  t.match(outcome, { code, message: reason });
}

const admit = (client: { readonly key: string; readonly cert: string }) => admission(t, tunnelListener, { ...dial, ...client }, WORKER);

t.test('a worker is admitted to the tunnel listener under its own identity', async (t) => {
  t.strictSame(await admission(t, tunnelListener, dial, WORKER), worker.identity);
});

t.test('the tests forge well: a forged certificate with nothing odd in it is admitted', async (t) => {
  t.match(await admit(oddCertificate(workers, leaf({}))), { trustDomain: TRUST_DOMAIN, kind: 'worker' });
});

t.test('a gateway and a worker are known to the control listener', async (t) => {
  const control = controlListenerOptions(() => serviceCredential(authority, 'control-api'));
  t.strictSame(
    await admission(
      t,
      control,
      mutualClientOptions(() => gateway),
      { ...WORKER, kind: 'gateway' },
    ),
    gateway.identity,
  );
  t.strictSame(
    await admission(
      t,
      control,
      mutualClientOptions(() => worker),
      WORKER,
    ),
    worker.identity,
  );
});

t.test('the control listener lets a stranger in, but not past requirePeer', async (t) => {
  const control = controlListenerOptions(() => serviceCredential(authority, 'control-api'));
  const stranger = { ...mutualClientOptions(() => worker), key: undefined, cert: undefined };
  await refused(t, admission(t, control, stranger, WORKER), 'unauthenticated', /a certificate of a worker is required/);
  const other = await testAuthority(t);
  const foreign = workerCredential(other);
  const client = { ...mutualClientOptions(() => worker), key: foreign.privateKeyPem, cert: foreign.certificateChainPem };
  await refused(t, admission(t, control, client, WORKER), 'unauthenticated', /UNABLE_TO_GET_ISSUER_CERT_LOCALLY/);
});

t.test('a worker is no gateway, and a gateway no worker', async (t) => {
  const control = controlListenerOptions(() => serviceCredential(authority, 'control-api'));
  await refused(
    t,
    admission(
      t,
      control,
      mutualClientOptions(() => worker),
      { ...WORKER, kind: 'gateway' },
    ),
    'permission_denied',
    /of a worker, not of a gateway/,
  );
  await refused(
    t,
    admission(t, tunnelListener, { ...dial, key: gateway.privateKeyPem, cert: gateway.certificateChainPem }, WORKER),
    'permission_denied',
    /of a gateway, not of a worker/,
  );
});

t.test('the workers CA cannot make a gateway, nor the services CA a worker', async (t) => {
  const asGateway = leaf({
    extendedKeyUsages: ['serverAuth', 'clientAuth'],
    names: [{ type: 'uri', value: `spiffe://${TRUST_DOMAIN}/gateway/${newId('gtw')}` }],
  });
  const client = { ...dial, ...oddCertificate(workers, asGateway) };
  await refused(
    t,
    admission(t, tunnelListener, client, { ...WORKER, kind: 'gateway' }),
    'permission_denied',
    /not issued by the services CA/,
  );
  await refused(t, admit(oddCertificate(services, leaf({}))), 'permission_denied', /not issued by the workers CA/);
});

t.test('an issuer that the leaf only claims is not believed', async (t) => {
  const claimed = [
    { type: 'O', value: TRUST_DOMAIN },
    { type: 'OU', value: 'services' },
    { type: 'CN', value: 'Jetbridge services CA 00000000' },
  ] as const;
  await refused(t, admit(oddCertificate(workers, { ...leaf({}), issuer: claimed })), 'unauthenticated', /UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
});

t.test('the extended key usage must be exact', async (t) => {
  const reason = /extended key usage is not exactly that of a worker as a client/;
  await refused(t, admit(oddCertificate(workers, leaf({ extendedKeyUsages: [] }))), 'permission_denied', reason);
  await refused(t, admit(oddCertificate(workers, leaf({ extendedKeyUsages: ['clientAuth', 'serverAuth'] }))), 'permission_denied', reason);
  await refused(t, admit(oddCertificate(workers, leaf({ extendedKeyUsages: ['serverAuth'] }))), 'unauthenticated', /INVALID_PURPOSE/);
});

t.test('there must be exactly one identity URI', async (t) => {
  const names = [
    { type: 'uri', value: workerUri() },
    { type: 'uri', value: workerUri() },
  ] as const;
  await refused(t, admit(oddCertificate(workers, leaf({ names }))), 'permission_denied', /2 identity URIs/);
  await refused(
    t,
    admit(oddCertificate(workers, leaf({ names: [{ type: 'dns', value: 'worker.example' }] }))),
    'permission_denied',
    /0 identity URIs/,
  );
});

t.test('an identity is spelled in one way', async (t) => {
  const id = newId('wkr');
  for (const value of [
    `spiffe://${TRUST_DOMAIN}/worker/${id}/`,
    `spiffe://${TRUST_DOMAIN}/worker/../gateway/${id}`,
    `spiffe://${TRUST_DOMAIN}/worker/${id}?x`,
    `SPIFFE://${TRUST_DOMAIN}/worker/${id}`,
    `spiffe://${TRUST_DOMAIN}:443/worker/${id}`,
    `https://${TRUST_DOMAIN}/worker/${id}`,
  ]) {
    await refused(
      t,
      admit(oddCertificate(workers, leaf({ names: [{ type: 'uri', value }] }))),
      'permission_denied',
      /URI is not a Jetbridge identity/,
    );
  }
  for (const end of ['\0', '\n']) {
    const names = [{ type: 'uri', value: `${workerUri()}${end}` }] as const;
    await refused(t, admit(oddCertificate(workers, leaf({ names }))), 'unauthenticated', /characters that do not belong there/);
  }
});

t.test('another trust domain is refused, under our own CA and under its own', async (t) => {
  const names = [{ type: 'uri', value: workerUri('other.internal') }] as const;
  await refused(t, admit(oddCertificate(workers, leaf({ names }))), 'permission_denied', /of the trust domain other\.internal/);
  const other = workerCredential(await testAuthority(t, { trustDomain: 'other.internal' }));
  await refused(
    t,
    admit({ key: other.privateKeyPem, cert: other.certificateChainPem }),
    'unauthenticated',
    /UNABLE_TO_GET_ISSUER_CERT_LOCALLY/,
  );
});

t.test('expired and not yet valid certificates are refused', async (t) => {
  const past = new Date(Date.now() - 60_000);
  const future = new Date(Date.now() + 60_000);
  await refused(t, admit(oddCertificate(workers, { ...leaf({}), notAfter: past })), 'unauthenticated', /CERT_HAS_EXPIRED/);
  await refused(t, admit(oddCertificate(workers, { ...leaf({}), notBefore: future })), 'unauthenticated', /CERT_NOT_YET_VALID/);
});

t.test('a certificate that expires after its handshake is refused when asked about again', async (t) => {
  const later = () => new Date(Date.now() + 25 * 3_600_000);
  await refused(t, admission(t, tunnelListener, dial, { ...WORKER, now: later }), 'unauthenticated', /it is valid from .* now is/);
});

t.test('a leaf cannot act as a CA', async (t) => {
  const publicKeySpki = createPublicKey(worker.privateKeyPem).export({ format: 'der', type: 'spki' });
  const asCa = { signer: { publicKeySpki, sign: signerOf(worker.privateKeyPem) }, certificatePem: worker.certificateChainPem };
  const forged = oddCertificate(asCa, leaf({}));
  await refused(t, admit(forged), 'unauthenticated', /INVALID_CA|UNSPECIFIED/);
});

t.test('a CA certificate of the workers CA is refused although its path holds', async (t) => {
  await refused(
    t,
    admit(oddCertificate(workers, { role: { type: 'ca' }, subject: [{ type: 'CN', value: 'x' }] })),
    'unauthenticated',
    /INVALID_PURPOSE/,
  );
});
