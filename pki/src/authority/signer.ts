/**
 * A CA's private key, wherever it lives: sealed in a file today, behind a KMS or an HSM later. It signs bytes and never shows itself.
 */
export interface Signer {
  /** P-256 SubjectPublicKeyInfo in DER. */
  readonly publicKeySpki: Buffer;
  /** ECDSA with SHA-256 over the bytes, in DER. */
  sign(bytes: Buffer): Buffer;
}
