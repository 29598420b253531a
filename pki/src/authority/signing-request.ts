import { decodeCsr } from '../x509-csr.ts';

/**
 * The public key (SubjectPublicKeyInfo, DER) that a signing request asks a certificate for, once its sender has proven to hold the private
 * key. `invalid_argument` for anything but a P-256, ecdsa-with-SHA256 request in DER.
 */
export function publicKeyOfSigningRequest(csrPem: string): Buffer {
  return decodeCsr(csrPem);
}
