import { hash, type X509Certificate } from 'node:crypto';
import { type EnrollReply, type EnrollRequest, type GatewayAddress, parseEnrollmentToken } from '@jetbridge/proto/enrollment';
import { StatusError } from '@jetbridge/proto/status-error';
import { trustDomainOfRoot } from '../issuing-ca.ts';
import { CONTROL_TIMEOUT_MS, ENROLL_ATTEMPTS_MAX, ENROLL_BACKOFF_BASE_MS, ENROLL_BACKOFF_MAX_MS } from '../limits.ts';
import { requirePeer } from '../trust/peer.ts';
import { pinnedClientOptions, unverifiedClientOptions } from '../trust/tls.ts';
import { decodeCertificate } from '../x509-certificate.ts';
import { type RetryPolicy, retryUnavailable, waitOnClock } from './backoff.ts';
import { controlRoute } from './control-url.ts';
import { type Credential, certificatesOf, credentialOf } from './credential.ts';
import { createCsr } from './csr.ts';
import { answerOf, type HttpsReply, httpsCall } from './https-call.ts';
import type { KeyPair } from './keys.ts';

export interface EnrollOptions {
  /** `https://host:port` */
  readonly controlUrl: string;
  readonly token: string;
  readonly keys: KeyPair;
  readonly signal: AbortSignal;
  readonly now?: () => Date;
  readonly retry?: Partial<RetryPolicy>;
}

export interface Enrolled extends EnrollReply {
  readonly credential: Credential;
}

/**
 * Turns an enrollment token into a credential.
 *
 * The one request without authentication fetches the control-api's roots. Only a root whose public key has the token's pin is believed, and the token
 * travels on a second connection whose server proves, under that root, to be the control-api: behind a wrong pin the token is never sent. A lost reply is
 * asked for again with the same key, which the control-api answers alike. Nothing but an unreachable control-api is tried again.
 */
export async function enroll(options: EnrollOptions): Promise<Enrolled> {
  const { rootPin } = parseEnrollmentToken(options.token);
  const csr = createCsr(options.keys.privateKeyPem);
  return await retryUnavailable(
    async () => {
      const root = await fetchPinnedRoot(options, rootPin);
      const reply = enrollReplyOf(await postEnroll(options, root, { token: options.token.trim(), csr }));
      return { ...reply, credential: credentialOfReply(options, root, reply) };
    },
    {
      attemptsMax: ENROLL_ATTEMPTS_MAX,
      baseMs: ENROLL_BACKOFF_BASE_MS,
      maxMs: ENROLL_BACKOFF_MAX_MS,
      random: Math.random,
      wait: waitOnClock,
      onRetry: () => undefined,
      ...options.retry,
    },
    options.signal,
  );
}

interface PinnedRoot {
  readonly pem: string;
  readonly pin: string;
  readonly trustDomain: string;
}

async function fetchPinnedRoot({ controlUrl, signal }: EnrollOptions, rootPin: string): Promise<PinnedRoot> {
  const url = controlRoute(controlUrl, '/v1/pki/bundle');
  const roots = rootsOf(
    await httpsCall({ url, tls: unverifiedClientOptions(), method: 'GET', signal, timeoutMs: CONTROL_TIMEOUT_MS, accept: () => undefined }),
    url,
  );
  const root = roots.find((candidate) => pinOf(candidate) === rootPin);
  if (root === undefined) {
    throw new StatusError(
      'permission_denied',
      `${url.host} is not the control-api that made this enrollment token, so the token was not sent: it pins the root ${rootPin}, the server shows ${roots.map(pinOf).join(', ')}. Check the control URL, and that nothing intercepts TLS on the way; otherwise create a new token`,
    );
  }
  return { pem: root.toString(), pin: rootPin, trustDomain: trustDomainOf(root) };
}

function rootsOf(reply: HttpsReply, url: URL): readonly X509Certificate[] {
  const { bundlePem } = (answerOf(reply) ?? {}) as Readonly<Record<string, unknown>>;
  try {
    return certificatesOf(typeof bundlePem === 'string' ? bundlePem : '');
  } catch (cause) {
    throw new StatusError('failed_precondition', `${url.host} does not answer like a control-api: check the control URL`, { cause });
  }
}

function pinOf(root: X509Certificate): string {
  return hash('sha256', root.publicKey.export({ format: 'der', type: 'spki' }), 'hex');
}

/** The pin vouches for the key; the certificate's own signature, by that key, vouches for the rest of it. */
function trustDomainOf(root: X509Certificate): string {
  const trustDomain = trustDomainOfRoot(decodeCertificate(root.raw).subject);
  if (trustDomain === undefined || !root.ca || !root.verify(root.publicKey)) {
    throw new StatusError('failed_precondition', 'the root certificate of the control-api is not one that Jetbridge makes');
  }
  return trustDomain;
}

async function postEnroll({ controlUrl, signal }: EnrollOptions, { pem, trustDomain }: PinnedRoot, body: EnrollRequest): Promise<unknown> {
  const reply = await httpsCall({
    url: controlRoute(controlUrl, '/v1/enroll'),
    tls: pinnedClientOptions(pem, trustDomain),
    method: 'POST',
    body,
    signal,
    timeoutMs: CONTROL_TIMEOUT_MS,
    accept: (socket) => requirePeer(socket, { kind: 'control-api', usage: 'server', trustDomain }),
  });
  if (reply.status === 401) {
    throw new StatusError(
      'unauthenticated',
      'the control-api refused the enrollment token: it is unknown, expired or used already. Create a new one with `jetbridge enroll-token create`',
    );
  }
  return answerOf(reply);
}

/** Believed only as far as it fits: our key, the pinned root, the name it says, the present time. */
function credentialOfReply({ keys, now }: EnrollOptions, root: PinnedRoot, reply: EnrollReply): Credential {
  const credential = credentialOf({
    privateKeyPem: keys.privateKeyPem,
    certificateChainPem: reply.certificateChainPem,
    bundlePem: reply.bundlePem,
  });
  const { identity, notBefore, notAfter } = credential;
  if (
    identity.id !== reply.id ||
    identity.kind !== reply.kind ||
    identity.trustDomain !== root.trustDomain ||
    reply.trustDomain !== root.trustDomain
  ) {
    throw new StatusError('failed_precondition', 'the control-api issued a certificate for another identity than it says');
  }
  if (!certificatesOf(reply.bundlePem).some((candidate) => pinOf(candidate) === root.pin)) {
    throw new StatusError('failed_precondition', 'the control-api answered with roots that lack the one the enrollment token pins');
  }
  const present = now?.() ?? new Date();
  if (present < notBefore || present > notAfter) {
    throw new StatusError(
      'failed_precondition',
      `the new certificate is valid from ${notBefore.toISOString()} to ${notAfter.toISOString()}, but this machine's clock says ${present.toISOString()}: set the clock`,
    );
  }
  return credential;
}

function enrollReplyOf(value: unknown): EnrollReply {
  const reply = (value ?? {}) as Readonly<Partial<Record<keyof EnrollReply, unknown>>>;
  const texts = ['id', 'name', 'kind', 'certificateChainPem', 'bundlePem', 'trustDomain', 'notAfter', 'renewAfter'] as const;
  const complete =
    texts.every((field) => typeof reply[field] === 'string') &&
    (reply.pool === undefined || typeof reply.pool === 'string') &&
    Array.isArray(reply.gateways) &&
    reply.gateways.every(isGatewayAddress);
  if (!complete) {
    throw new StatusError(
      'failed_precondition',
      'the control-api answered the enrollment in a form that this version does not know: use matching versions',
    );
  }
  return reply as EnrollReply;
}

function isGatewayAddress(value: unknown): value is GatewayAddress {
  const { id, tunnelAddress, serverName } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return typeof id === 'string' && typeof tunnelAddress === 'string' && typeof serverName === 'string';
}
