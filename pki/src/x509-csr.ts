import { verify } from 'node:crypto';
import { CSR_MAX_BYTES } from './limits.ts';
import {
  bytesOf,
  childrenOf,
  constructed,
  contextConstructed,
  decodeDer,
  encodeDer,
  malformed,
  octetsOfBitString,
  primitive,
  sequence,
  TAG,
} from './x509.ts';
import { decodePem, encodePem } from './x509-pem.ts';
import { encodeSigned, P256_SPKI_BYTES, requireP256, requireSignatureAlgorithm } from './x509-signed.ts';

/** A certificate request (PKCS#10, RFC 2986) that says nothing but "this is my public key": the issuer decides everything else. */
export function encodeCsr(publicKeySpki: Buffer, sign: (bytes: Buffer) => Buffer): string {
  const body = sequence(
    primitive(TAG.integer, Buffer.of(0)),
    sequence(),
    decodeDer(publicKeySpki, P256_SPKI_BYTES),
    constructed(contextConstructed(0)),
  );
  return encodePem('CERTIFICATE REQUEST', encodeSigned(body, sign));
}

/**
 * The public key (SubjectPublicKeyInfo, DER) of a certificate request whose sender has the private key. Read against the exact shape of a P-256,
 * ecdsa-with-SHA256 request in DER; the subject and the attributes (extensions asked for) are well-formed at most, and ignored.
 */
export function decodeCsr(pem: string): Buffer {
  const [der] = decodePem('CERTIFICATE REQUEST', pem, 1, CSR_MAX_BYTES);
  const [body, algorithm, signature, ...rest] = childrenOf(decodeDer(der ?? Buffer.alloc(0), CSR_MAX_BYTES), TAG.sequence);
  const [version, subject, spkiNode, attributes, ...others] = childrenOf(body, TAG.sequence);
  childrenOf(subject, TAG.sequence);
  childrenOf(attributes, contextConstructed(0));
  if (
    body === undefined ||
    spkiNode === undefined ||
    rest.length !== 0 ||
    others.length !== 0 ||
    !bytesOf(version, TAG.integer).equals(Buffer.of(0))
  ) {
    throw malformed('it does not have the shape of a PKCS#10 request');
  }
  requireSignatureAlgorithm(algorithm);
  const spki = encodeDer(spkiNode);
  const publicKey = requireP256(spki);
  if (!verify('sha256', encodeDer(body), publicKey, octetsOfBitString(signature))) {
    throw malformed('its signature does not match its public key');
  }
  return spki;
}
