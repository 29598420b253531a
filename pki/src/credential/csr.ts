import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { encodeCsr } from '../x509-csr.ts';

/** A certificate request (PEM) that proves possession of a P-256 key and asks for nothing by name: who gets the certificate, the token or the old certificate says. */
export function createCsr(privateKeyPem: string): string {
  const privateKey = createPrivateKey(privateKeyPem);
  return encodeCsr(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }), (bytes) => sign('sha256', bytes, privateKey));
}
