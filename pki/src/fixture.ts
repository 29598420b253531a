/** For tests only: authorities in temporary directories, credentials, certificates that no authority would issue, the openssl command as an oracle. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey, randomBytes, sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, createServer, type TlsOptions } from 'node:tls';
import type { Identity } from '@jetbridge/proto/identity';
import { newId } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import type { Test } from 'tap';
import { type Authority, openAuthority } from './authority/authority.ts';
import { openFileSigner } from './authority/file-signer.ts';
import type { Signer } from './authority/signer.ts';
import { type Credential, credentialOf } from './credential/credential.ts';
import { createCsr } from './credential/csr.ts';
import { generateKeyPair } from './credential/keys.ts';
import type { IssuingCa } from './issuing-ca.ts';
import { type ExpectedPeer, explainHandshakeFailure, requirePeer } from './trust/peer.ts';
import { type CertificateContent, decodeCertificate, encodeCertificate } from './x509-certificate.ts';
import { decodePem, encodePem } from './x509-pem.ts';

export const TRUST_DOMAIN = 'jetbridge.internal';
const HOUR_MS = 3_600_000;

export function temporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'jetbridge-pki-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface TestAuthority extends Authority {
  readonly directory: string;
  readonly kek: Buffer;
}

export async function testAuthority(t: Test, { trustDomain = TRUST_DOMAIN, now = () => new Date() } = {}): Promise<TestAuthority> {
  const directory = temporaryDirectory(t);
  const kek = randomBytes(32);
  return { ...(await openAuthority({ directory, kek, trustDomain, now, randomBytes })), directory, kek };
}

export function workerCredential(authority: Authority, workerId = newId('wkr')): Credential {
  const { privateKeyPem } = generateKeyPair();
  const { certificateChainPem } = authority.issueWorker({ csrPem: createCsr(privateKeyPem), workerId, lifetimeMs: 24 * HOUR_MS });
  return credentialOf({ privateKeyPem, certificateChainPem, bundlePem: authority.bundlePem });
}

export function serviceCredential(
  authority: Authority,
  kind: 'gateway' | 'control-api',
  id = kind === 'gateway' ? newId('gtw') : kind,
): Credential {
  const { privateKeyPem } = generateKeyPair();
  const request = { kind, id, dnsNames: ['localhost'], ipAddresses: ['127.0.0.1', '::1'], lifetimeMs: 7 * 24 * HOUR_MS };
  const { certificateChainPem } = authority.issueService({ ...request, csrPem: createCsr(privateKeyPem) });
  return credentialOf({ privateKeyPem, certificateChainPem, bundlePem: authority.bundlePem });
}

/** The issuing CA of an authority, in the hands of a test. */
export interface StolenCa {
  readonly signer: Signer;
  readonly certificatePem: string;
}

export async function stealCa({ directory, kek, ...authority }: TestAuthority, kind: IssuingCa): Promise<StolenCa> {
  const signer = await openFileSigner({ path: join(directory, `${kind}-ca.key`), kek, purpose: `jetbridge/${kind}-ca` });
  if (signer === undefined) {
    throw new Error('the authority has no such key');
  }
  const chain = (kind === 'workers' ? workerCredential(authority) : serviceCredential(authority, 'gateway')).certificateChainPem;
  const [, issuing = Buffer.alloc(0)] = decodePem('CERTIFICATE', chain, 2, 10_000);
  return { signer, certificatePem: encodePem('CERTIFICATE', issuing) };
}

/** A worker's key and chain in which some of the content is not what an authority would write. */
export function oddCertificate(ca: StolenCa, content: Partial<CertificateContent>): { readonly key: string; readonly cert: string } {
  const { privateKeyPem, publicKeySpki } = generateKeyPair();
  const der = encodeCertificate(
    {
      serial: Buffer.concat([Buffer.of(0x40), randomBytes(15)]),
      issuer: decodeCertificate(new X509Certificate(ca.certificatePem).raw).subject,
      issuerSpki: ca.signer.publicKeySpki,
      subject: [],
      subjectSpki: publicKeySpki,
      notBefore: new Date(Date.now() - HOUR_MS),
      notAfter: new Date(Date.now() + HOUR_MS),
      role: { type: 'leaf', extendedKeyUsages: ['clientAuth'], names: [{ type: 'uri', value: workerUri() }] },
      ...content,
    },
    (bytes) => ca.signer.sign(bytes),
  );
  return { key: privateKeyPem, cert: encodePem('CERTIFICATE', der) + ca.certificatePem };
}

export function workerUri(trustDomain = TRUST_DOMAIN): string {
  return `spiffe://${trustDomain}/worker/${newId('wkr')}`;
}

export function signerOf(privateKeyPem: string): (bytes: Buffer) => Buffer {
  const key = createPrivateKey(privateKeyPem);
  return (bytes) => sign('sha256', bytes, key);
}

/** Standard output of an openssl command; throws when it fails. */
export function openssl(args: readonly string[], input?: string | Buffer): Buffer {
  return execFileSync('openssl', args, { input, stdio: ['pipe', 'pipe', 'pipe'] });
}

/** A TLS server on a free port of 127.0.0.1 until the test ends. */
export async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** What a listener makes of a client: the identity that `requirePeer` finds, or why the client is refused. */
export async function admission(
  t: Test,
  listener: TlsOptions,
  client: ConnectionOptions,
  expected: ExpectedPeer,
): Promise<Identity | StatusError> {
  const { promise, resolve } = Promise.withResolvers<Identity | StatusError>();
  const server = createServer(listener, (socket) => {
    socket.on('error', () => undefined);
    resolve(attempt(() => requirePeer(socket, expected)));
    socket.destroy();
  });
  server.on('tlsClientError', (error, socket) => resolve(explainHandshakeFailure(error, socket)));
  const socket = connect({ ...client, host: '127.0.0.1', port: await listen(t, server) });
  socket.on('error', () => undefined);
  t.teardown(() => socket.destroy());
  return await promise;
}

export function attempt<T>(action: () => T): T | StatusError {
  try {
    return action();
  } catch (error) {
    if (error instanceof StatusError) {
      return error;
    }
    throw error;
  }
}
