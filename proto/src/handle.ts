import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import { idBytes, idOfBytes, randomBytes as pooledRandomBytes, type RandomBytes } from './ids.ts';
import { HANDLE_MAX_BYTES } from './limits.ts';
import { StatusError } from './status-error.ts';

// version(1) | worker id(16) | nonce(12) | ciphertext | tag(16). Everything before the nonce is readable, so that any gateway can route it,
// and authenticated, so that nobody can move a handle to another worker.
const LAYOUT_VERSION = 1;
const WORKER_ID_END = 17;
const NONCE_END = 29;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const CIPHER = 'aes-256-gcm';

/** The `wkr_` id a handle names, or undefined when these bytes are no handle. Proves nothing: only the worker can open it. */
export function workerIdOfHandle(handle: Buffer): string | undefined {
  return isHandleShaped(handle) ? idOfBytes('wkr', handle.subarray(1, WORKER_ID_END)) : undefined;
}

function isHandleShaped(handle: Buffer): boolean {
  return handle.length >= NONCE_END + TAG_BYTES && handle.length <= HANDLE_MAX_BYTES && handle[0] === LAYOUT_VERSION;
}

/** As a KeyObject it costs a tenth: bytes are looked at anew each time. */
export type SealingKey = Buffer | KeyObject;

/** Seals `plaintext` so that only the holder of `key` can read it or make another. */
export function sealHandle(key: SealingKey, workerId: string, plaintext: Buffer, randomBytes: RandomBytes = pooledRandomBytes): Buffer {
  requireKey(key);
  if (plaintext.length > HANDLE_MAX_BYTES - NONCE_END - TAG_BYTES) {
    throw new StatusError('resource_exhausted', `the content of a handle is limited to ${HANDLE_MAX_BYTES} bytes`);
  }
  const prefix = Buffer.concat([Buffer.of(LAYOUT_VERSION), idBytes(workerId)]);
  const nonce = randomBytes(NONCE_END - WORKER_ID_END);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(prefix);
  return Buffer.concat([prefix, nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The sealed plaintext. Another worker's handle is `not_found`; anything this key did not seal is `invalid_argument`. */
export function openHandle(key: SealingKey, workerId: string, handle: Buffer): Buffer {
  requireKey(key);
  if (!isHandleShaped(handle)) {
    throw forged();
  }
  const prefix = handle.subarray(0, WORKER_ID_END);
  if (!idBytes(workerId).equals(prefix.subarray(1))) {
    throw new StatusError('not_found', 'the handle belongs to another worker; run the statement again');
  }
  const tagStart = handle.length - TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, key, handle.subarray(WORKER_ID_END, NONCE_END), { authTagLength: TAG_BYTES });
  decipher.setAAD(prefix);
  decipher.setAuthTag(handle.subarray(tagStart));
  try {
    return Buffer.concat([decipher.update(handle.subarray(NONCE_END, tagStart)), decipher.final()]);
  } catch (cause) {
    throw forged(cause);
  }
}

function forged(cause?: unknown): StatusError {
  return new StatusError('invalid_argument', 'the handle was not issued by this server or has been altered', { cause });
}

function requireKey(key: SealingKey): void {
  if ((Buffer.isBuffer(key) ? key.length : key.symmetricKeySize) !== KEY_BYTES) {
    throw new StatusError('internal', `a sealing key has ${KEY_BYTES} bytes`);
  }
}
