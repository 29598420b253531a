import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto';
import { StatusError } from '@jetbridge/proto/status-error';
import { SEALED_KEY_MAX_BYTES } from '../limits.ts';
import { createPrivateFile, readPrivateFile } from '../private-file.ts';
import { requireP256 } from '../x509-signed.ts';
import type { Signer } from './signer.ts';

/** The sealed form is `magic(4) | nonce(12) | ciphertext of the PKCS#8 key | tag(16)`; magic and purpose are authenticated with it. */
const MAGIC = Buffer.from('JBK1');
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEK_BYTES = 32;
const CIPHER = 'aes-256-gcm';

export interface SealedKeyFile {
  readonly path: string;
  /** Key encryption key, 32 bytes. */
  readonly kek: Buffer;
  /** What the key is for. A file that was sealed for another purpose does not open: nobody can pass off the workers' CA key as the services' one. */
  readonly purpose: string;
}

/** Makes a new P-256 key and seals it into a new file. */
export async function createFileSigner(file: SealedKeyFile & { readonly randomBytes: (size: number) => Buffer }): Promise<Signer> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await createPrivateFile(file.path, seal(file, privateKey.export({ format: 'der', type: 'pkcs8' }), file.randomBytes(NONCE_BYTES)));
  return signerOf(privateKey);
}

/** Opens the key in a sealed file; undefined when there is no file. */
export async function openFileSigner(file: SealedKeyFile): Promise<Signer | undefined> {
  const sealed = await readPrivateFile(file.path, SEALED_KEY_MAX_BYTES);
  return sealed === undefined ? undefined : signerOf(createPrivateKey({ key: unseal(file, sealed), format: 'der', type: 'pkcs8' }));
}

function signerOf(privateKey: KeyObject): Signer {
  const publicKeySpki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  requireP256(publicKeySpki);
  return { publicKeySpki, sign: (bytes) => sign('sha256', bytes, privateKey) };
}

function seal(file: SealedKeyFile, plaintext: Buffer, nonce: Buffer): Buffer {
  const cipher = createCipheriv(CIPHER, requireKek(file.kek), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedBytes(file.purpose));
  return Buffer.concat([MAGIC, nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function unseal(file: SealedKeyFile, sealed: Buffer): Buffer {
  const body = sealed.subarray(MAGIC.length + NONCE_BYTES);
  if (body.length <= TAG_BYTES || !sealed.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new StatusError('data_loss', `${file.path} is not a sealed key; restore it from a backup`);
  }
  // authTagLength refuses the shorter tags that GCM would accept and that are cheap to forge.
  const decipher = createDecipheriv(CIPHER, requireKek(file.kek), sealed.subarray(MAGIC.length, MAGIC.length + NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(associatedBytes(file.purpose));
  decipher.setAuthTag(body.subarray(-TAG_BYTES));
  const plaintext = decipher.update(body.subarray(0, -TAG_BYTES));
  try {
    return Buffer.concat([plaintext, decipher.final()]);
  } catch (cause) {
    throw new StatusError(
      'failed_precondition',
      `${file.path} does not open: the key encryption key is not the one it was sealed with, or the file was changed`,
      { cause },
    );
  }
}

function associatedBytes(purpose: string): Buffer {
  return Buffer.concat([MAGIC, Buffer.from(purpose, 'utf8')]);
}

function requireKek(kek: Buffer): Buffer {
  if (kek.length !== KEK_BYTES) {
    throw new StatusError('invalid_argument', `the key encryption key must have ${KEK_BYTES} bytes, not ${kek.length}`);
  }
  return kek;
}
