import { type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import type { RandomBytes } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import { MAX_PASSWORD_CHECKS, MAX_QUEUED_PASSWORD_CHECKS } from '../limits.ts';

export interface PasswordCost {
  readonly log2N: number;
  readonly blockSize: number;
  readonly parallelization: number;
}

interface EncodedPassword extends PasswordCost {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const SALT_BYTES = 16;
const HASH_BYTES = 32;
const ENCODED = /^scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9_-]{22})\$([A-Za-z0-9_-]{43})$/;

/** Hashes and checks passwords, at most `MAX_PASSWORD_CHECKS` at once; a bounded queue waits, the rest is told to come back. */
export class Passwords {
  readonly #cost: PasswordCost;
  readonly #randomBytes: RandomBytes;
  readonly #queue: (() => void)[] = [];
  readonly #nobody: EncodedPassword;
  #running = 0;

  constructor(cost: PasswordCost, randomBytes: RandomBytes) {
    this.#cost = cost;
    this.#randomBytes = randomBytes;
    this.#nobody = { ...cost, salt: randomBytes(SALT_BYTES), hash: randomBytes(HASH_BYTES) };
  }

  /** `scrypt$log2N$r$p$salt$hash` */
  async hash(password: string): Promise<string> {
    const salt = this.#randomBytes(SALT_BYTES);
    const hash = await this.#derive(password, { ...this.#cost, salt, hash: Buffer.alloc(HASH_BYTES) });
    const { log2N, blockSize, parallelization } = this.#cost;
    return ['scrypt', log2N, blockSize, parallelization, salt.toString('base64url'), hash.toString('base64url')].join('$');
  }

  /** Without a stored hash (no such principal, or one without a password) it is false after the same work. */
  async verify(password: string, stored: string | undefined): Promise<boolean> {
    const expected = stored === undefined ? this.#nobody : decode(stored);
    const actual = await this.#derive(password, expected);
    return timingSafeEqual(actual, expected.hash) && stored !== undefined;
  }

  async #derive(password: string, encoded: EncodedPassword): Promise<Buffer> {
    await this.#enter();
    try {
      return await derive(password, encoded);
    } finally {
      this.#leave();
    }
  }

  #enter(): Promise<void> {
    if (this.#running < MAX_PASSWORD_CHECKS) {
      this.#running += 1;
      return Promise.resolve();
    }
    if (this.#queue.length >= MAX_QUEUED_PASSWORD_CHECKS) {
      throw new StatusError('resource_exhausted', 'too many sign-ins at once; try again', { retryAfterMs: 1000 });
    }
    return new Promise((resolve) => this.#queue.push(resolve));
  }

  // The place is handed to the next in the queue, if there is one.
  #leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) {
      this.#running -= 1;
    } else {
      next();
    }
  }
}

function derive(password: string, { log2N, blockSize, parallelization, salt }: EncodedPassword): Promise<Buffer> {
  const cost = 2 ** log2N;
  // scrypt needs 128·N·r bytes and a little; Node's default limit is 32 MB.
  const options: ScryptOptions = { N: cost, r: blockSize, p: parallelization, maxmem: 2 * 128 * cost * blockSize };
  return new Promise((resolve, reject) => {
    // One password typed on two keyboards may differ in bytes; NFKC makes them one.
    scrypt(password.normalize('NFKC'), salt, HASH_BYTES, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

function decode(stored: string): EncodedPassword {
  const [, log2N, blockSize, parallelization, salt, hash] = ENCODED.exec(stored) ?? [];
  if (salt === undefined || hash === undefined) {
    throw new StatusError('data_loss', 'a stored password hash cannot be read');
  }
  return {
    log2N: Number(log2N),
    blockSize: Number(blockSize),
    parallelization: Number(parallelization),
    salt: Buffer.from(salt, 'base64url'),
    hash: Buffer.from(hash, 'base64url'),
  };
}
