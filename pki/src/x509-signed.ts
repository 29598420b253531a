import { createPublicKey, type KeyObject } from 'node:crypto';
import { bitString, childrenOf, type DerNode, encodeDer, malformed, oid, oidOf, sequence, TAG } from './x509.ts';

/** ecdsa-with-SHA256 (RFC 5758): the only signature algorithm in our PKI. */
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

// SubjectPublicKeyInfo of every P-256 key up to its 64 octets of coordinates: id-ecPublicKey, prime256v1, an uncompressed point.
const P256_SPKI_PREFIX = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');
export const P256_SPKI_BYTES = P256_SPKI_PREFIX.length + 64;

export function signatureAlgorithm(): DerNode {
  return sequence(oid(ECDSA_WITH_SHA256));
}

/** Makes `SIGNED{body}` (RFC 5280, 4.1): the body, the algorithm, the signature over the body's DER. */
export function encodeSigned(body: DerNode, sign: (bytes: Buffer) => Buffer): Buffer {
  return encodeDer(sequence(body, signatureAlgorithm(), bitString(sign(encodeDer(body)))));
}

export function requireSignatureAlgorithm(node: DerNode | undefined): void {
  const [algorithm, ...parameters] = childrenOf(node, TAG.sequence);
  if (oidOf(algorithm) !== ECDSA_WITH_SHA256 || parameters.length !== 0) {
    throw malformed('only ecdsa-with-SHA256 signatures are accepted');
  }
}

/** The key behind a SubjectPublicKeyInfo that is P-256, uncompressed, and on the curve. */
export function requireP256(spki: Buffer): KeyObject {
  if (spki.length !== P256_SPKI_BYTES || !spki.subarray(0, P256_SPKI_PREFIX.length).equals(P256_SPKI_PREFIX)) {
    throw malformed('only P-256 keys with an uncompressed point are accepted');
  }
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' });
  } catch (cause) {
    throw malformed('its public key is not a point on the curve', cause);
  }
}
