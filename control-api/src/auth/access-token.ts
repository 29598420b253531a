import { createHash, timingSafeEqual } from 'node:crypto';
import { isId, newId, type RandomBytes } from '@jetbridge/proto/ids';

/** `jba_<id>_<secret>`, 256 random bits. The text goes to its owner once and is kept nowhere. */
export interface NewAccessToken {
  /** `tok_…` */
  readonly id: string;
  readonly text: string;
  readonly secretHash: string;
}

export interface ParsedAccessToken {
  readonly id: string;
  readonly secret: string;
}

const SECRET_BYTES = 32;
const TOKEN = /^jba_([0-9a-z]{26})_([A-Za-z0-9_-]{43})$/;

export function newAccessToken(randomBytes: RandomBytes): NewAccessToken {
  const id = newId('tok', randomBytes);
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { id, text: `jba_${id.slice('tok_'.length)}_${secret}`, secretHash: hashSecret(secret) };
}

export function parseAccessToken(text: string): ParsedAccessToken | undefined {
  const [, digits, secret] = TOKEN.exec(text) ?? [];
  const id = `tok_${digits}`;
  return secret === undefined || !isId('tok', id) ? undefined : { id, secret };
}

export function isSecretOf(secret: string, secretHash: string): boolean {
  return timingSafeEqual(Buffer.from(hashSecret(secret), 'hex'), Buffer.from(secretHash, 'hex'));
}

// The secret has 256 random bits: there is nothing to guess, so a plain hash is enough.
function hashSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}
