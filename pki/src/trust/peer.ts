import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { type Identity, parseIdentityUri, type ServiceKind } from '@jetbridge/proto/identity';
import { StatusError, toStatusError } from '@jetbridge/proto/status-error';
import { isIssuingCaName, issuingCaOf } from '../issuing-ca.ts';
import { type CertificateClaims, decodeCertificate, type ExtendedKeyUsage, extendedKeyUsageOid } from '../x509-certificate.ts';

/** Who must be at the other end. */
export interface ExpectedPeer {
  readonly kind: ServiceKind;
  /** The part that the peer plays in the handshake. */
  readonly usage: 'client' | 'server';
  readonly trustDomain: string;
  /** The protocol that must have been agreed on; without it any, but never none. */
  readonly alpn?: string;
  readonly now?: () => Date;
}

/**
 * The identity of the peer of a finished handshake, or the reason why it is refused: `unauthenticated` when it proves nothing, `permission_denied` when it
 * is somebody else than expected. Works on both sides of a connection.
 *
 * OpenSSL has verified the path to one of our roots; a path alone admits nobody. A resumed handshake shows no chain and no proof of the key, a client may
 * leave ALPN out unpunished, and a certificate without extended key usage passes for any: all three are refused here.
 */
export function requirePeer(socket: TLSSocket, expected: ExpectedPeer): Identity {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    throw new StatusError('unauthenticated', `a certificate of a ${expected.kind} is required`);
  }
  if (!socket.authorized) {
    throw new StatusError('unauthenticated', `the certificate was refused: ${reasonOf(socket.authorizationError)}`);
  }
  if (socket.isSessionReused()) {
    throw new StatusError('unauthenticated', 'a resumed TLS session proves no identity; connect without session resumption');
  }
  if (typeof socket.alpnProtocol !== 'string' || (expected.alpn !== undefined && socket.alpnProtocol !== expected.alpn)) {
    throw new StatusError('unauthenticated', `the TLS handshake must agree on ${expected.alpn ?? 'a protocol'} by ALPN`);
  }
  return requireCertificate(certificate, expected);
}

/**
 * Why a handshake failed, for the `tlsClientError` event of a listener: Node reports a refused certificate as a connection reset, and leaves the reason on
 * the socket.
 */
export function explainHandshakeFailure(error: Error, socket: TLSSocket): StatusError {
  // The declaration says Error; on this path it is a code, or null.
  const refusal: unknown = socket.authorizationError;
  const message = refusal ? `the certificate was refused: ${reasonOf(refusal)}` : `the TLS handshake failed: ${reasonOf(error)}`;
  return new StatusError('unauthenticated', message, { cause: error });
}

/** The identity in a leaf whose path to a root has been verified: right kind, right issuing CA, exact extended key usage, one identity, in time. */
export function requireCertificate(certificate: X509Certificate, expected: ExpectedPeer): Identity {
  const claims = claimsOf(certificate);
  const identity = identityOf(claims);
  if (identity.trustDomain !== expected.trustDomain) {
    throw denied(`it is of the trust domain ${identity.trustDomain}, not ${expected.trustDomain}`);
  }
  if (identity.kind !== expected.kind) {
    throw denied(`it is of a ${identity.kind}, not of a ${expected.kind}`);
  }
  const issuingCa = issuingCaOf(expected.kind);
  if (!isIssuingCaName(claims.issuer, expected.trustDomain, issuingCa)) {
    throw denied(`it was not issued by the ${issuingCa} CA of ${expected.trustDomain}`);
  }
  if (claims.ca || !isExactly(claims.extendedKeyUsages, extendedKeyUsagesOf(expected))) {
    throw denied(`its extended key usage is not exactly that of a ${expected.kind} as a ${expected.usage}`);
  }
  requireInTime(certificate, (expected.now ?? currentTime)());
  return identity;
}

/** OpenSSL looked at the clock during the handshake; a socket may be asked about long after. */
function requireInTime(certificate: X509Certificate, now: Date): void {
  if (now < certificate.validFromDate || now > certificate.validToDate) {
    throw new StatusError(
      'unauthenticated',
      `the certificate was refused: it is valid from ${certificate.validFromDate.toISOString()} to ${certificate.validToDate.toISOString()}, now is ${now.toISOString()}`,
    );
  }
}

function extendedKeyUsagesOf({ kind, usage }: ExpectedPeer): readonly ExtendedKeyUsage[] {
  if (kind !== 'worker') {
    return ['serverAuth', 'clientAuth'];
  }
  // A worker's own listener has a certificate of its own, apart from the one the worker dials with.
  return usage === 'client' ? ['clientAuth'] : ['serverAuth'];
}

function isExactly(oids: readonly string[] | undefined, usages: readonly ExtendedKeyUsage[]): boolean {
  return oids !== undefined && oids.length === usages.length && usages.every((usage) => oids.includes(extendedKeyUsageOid(usage)));
}

function claimsOf(certificate: X509Certificate): CertificateClaims {
  try {
    return decodeCertificate(certificate.raw);
  } catch (cause) {
    throw new StatusError('unauthenticated', `the certificate was refused: ${toStatusError(cause).message}`, { cause });
  }
}

function identityOf(claims: CertificateClaims): Identity {
  const uris = claims.names.filter((name) => name.type === 'uri');
  if (uris.length !== 1 || uris[0] === undefined) {
    throw denied(`it holds ${uris.length} identity URIs instead of one`);
  }
  try {
    return parseIdentityUri(uris[0].value);
  } catch (cause) {
    throw denied('its URI is not a Jetbridge identity', cause);
  }
}

/** Node gives an Error on some paths and a code on others, whatever the declaration says. */
function reasonOf(error: unknown): string {
  return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error ?? 'it was not verified');
}

function denied(reason: string, cause?: unknown): StatusError {
  return new StatusError('permission_denied', `the certificate was refused: ${reason}`, { cause });
}

function currentTime(): Date {
  return new Date();
}
