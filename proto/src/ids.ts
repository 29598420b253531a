import { randomFillSync } from 'node:crypto';
import { StatusError } from './status-error.ts';

/** worker, gateway, statement, tunnel, enrollment token, principal, access token, session, audit record, transaction. */
export type IdPrefix = 'wkr' | 'gtw' | 'stm' | 'tun' | 'enr' | 'prn' | 'tok' | 'ses' | 'aud' | 'txn';

/** A source of random bytes; tests pass a seeded one. */
export type RandomBytes = (size: number) => Buffer;

const ID_BYTES = 16;
// Asking the system for each id's 16 bytes costs more than all else about it.
const POOL_BYTES = 4096;
// 128 bits in 5-bit digits take 26 digits; the last one carries 3 bits and two zeros.
const ID_DIGITS = 26;
// Crockford base32 in lower case: no i, l, o, u.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const DIGITS = new RegExp(`^[${ALPHABET}]{${ID_DIGITS - 1}}[048cgmrw]$`);

let pool = Buffer.alloc(0);

/** As unpredictable as `crypto.randomBytes`; each byte is given out once. */
export function randomBytes(size: number): Buffer {
  if (size > POOL_BYTES) {
    return randomFillSync(Buffer.alloc(size));
  }
  if (pool.length < size) {
    pool = randomFillSync(Buffer.alloc(POOL_BYTES));
  }
  const bytes = pool.subarray(0, size);
  pool = pool.subarray(size);
  return bytes;
}

export function newId(prefix: IdPrefix, random: RandomBytes = randomBytes): string {
  return idOfBytes(prefix, random(ID_BYTES));
}

/** True for exactly the strings that `newId` can make: each 16 bytes have one spelling. */
export function isId(prefix: IdPrefix, value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(`${prefix}_`) && DIGITS.test(value.slice(prefix.length + 1));
}

/** The 16 bytes inside an id of any prefix. */
export function idBytes(id: string): Buffer {
  const digits = id.slice(id.indexOf('_') + 1);
  if (!DIGITS.test(digits)) {
    throw new StatusError('invalid_argument', 'this is not a Jetbridge id');
  }
  const bytes = Buffer.alloc(ID_BYTES);
  let bits = 0;
  let bitCount = 0;
  let at = 0;
  for (const digit of digits) {
    bits = ((bits << 5) | ALPHABET.indexOf(digit)) & 0xfff;
    bitCount += 5;
    if (bitCount >= 8 && at < ID_BYTES) {
      bitCount -= 8;
      bytes[at] = (bits >> bitCount) & 0xff;
      at += 1;
    }
  }
  return bytes;
}

export function idOfBytes(prefix: IdPrefix, bytes: Uint8Array): string {
  if (bytes.length !== ID_BYTES) {
    throw new StatusError('internal', `an id is made of ${ID_BYTES} bytes`);
  }
  let digits = '';
  let bits = 0;
  let bitCount = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xfff;
    bitCount += 8;
    while (bitCount >= 5) {
      bitCount -= 5;
      digits += ALPHABET[(bits >> bitCount) & 31];
    }
  }
  return `${prefix}_${digits}${ALPHABET[(bits << (5 - bitCount)) & 31]}`;
}
