import { createHash } from 'node:crypto';
import type { ServiceKind } from './identity.ts';
import { idBytes, isId } from './ids.ts';
import { StatusError } from './status-error.ts';

/** What an operator carries from the control-api to a new worker or gateway. */
export interface EnrollmentToken {
  /** The `enr_` id. */
  readonly id: string;
  /** 32 random bytes in base64url. */
  readonly secret: string;
  /** Lower-case hex SHA-256 of the root's SubjectPublicKeyInfo (DER): lets the new process recognise the control-api before it trusts any CA. */
  readonly rootPin: string;
}

// 43 base64url characters carry 32 bytes; the last character's two low bits are zero in the one canonical spelling.
const SECRET = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
const ROOT_PIN = /^[0-9a-f]{64}$/;
const TOKEN = /^jbe_([0-9a-z]{26})_([A-Za-z0-9_-]{43})\.([0-9a-f]{64})$/;

export function formatEnrollmentToken(token: EnrollmentToken): string {
  idBytes(token.id);
  if (!SECRET.test(token.secret) || !ROOT_PIN.test(token.rootPin)) {
    throw new StatusError('internal', 'an enrollment token needs a secret of 32 bytes and a SHA-256 pin');
  }
  return `jbe_${token.id.slice('enr_'.length)}_${token.secret}.${token.rootPin}`;
}

/** Surrounding white space is forgiven, since tokens arrive in files and by copy and paste; the error never repeats the token. */
export function parseEnrollmentToken(text: string): EnrollmentToken {
  const [, digits, secret, rootPin] = TOKEN.exec(text.trim()) ?? [];
  const id = `enr_${digits}`;
  if (secret === undefined || rootPin === undefined || !SECRET.test(secret) || !isId('enr', id)) {
    throw new StatusError(
      'invalid_argument',
      'this is not an enrollment token (jbe_…): copy the whole token, or create one with `jetbridge enroll-token create`',
    );
  }
  return { id, secret, rootPin };
}

/** What is stored of a secret. It has 256 random bits, so a plain hash is enough: there is nothing to guess. */
export function hashEnrollmentSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

/** Body of `POST /v1/enroll`. */
export interface EnrollRequest {
  readonly token: string;
  /** PKCS#10 in PEM. */
  readonly csr: string;
}

/** Where a gateway takes tunnels. */
export interface GatewayAddress {
  readonly id: string;
  /** `host:port`. */
  readonly tunnelAddress: string;
  /** The name to ask for in the TLS handshake. */
  readonly serverName: string;
}

/** Answer of `POST /v1/enroll`. */
export interface EnrollReply {
  readonly id: string;
  readonly name: string;
  readonly kind: ServiceKind;
  /** Set for workers. */
  readonly pool?: string;
  /** Leaf and issuing certificate. */
  readonly certificateChainPem: string;
  /** Root certificates. */
  readonly bundlePem: string;
  readonly trustDomain: string;
  /** ISO 8601. */
  readonly notAfter: string;
  /** ISO 8601. */
  readonly renewAfter: string;
  readonly gateways: readonly GatewayAddress[];
}
