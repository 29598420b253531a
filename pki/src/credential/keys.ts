import { generateKeyPairSync } from 'node:crypto';

/** A fresh P-256 key. Every credential gets its own: a renewal with the old key would keep a stolen one alive. */
export interface KeyPair {
  /** PKCS#8 in PEM. */
  readonly privateKeyPem: string;
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKeySpki: Buffer;
}

export function generateKeyPair(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    privateKeyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicKeySpki: publicKey.export({ format: 'der', type: 'spki' }),
  };
}
