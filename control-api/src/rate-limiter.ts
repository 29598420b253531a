import { StatusError } from '@jetbridge/proto/status-error';
import { MAX_RATE_LIMIT_KEYS } from './limits.ts';

export interface RateLimit {
  readonly max: number;
  readonly windowMs: number;
}

interface Window {
  readonly endsMs: number;
  used: number;
}

/** Counts per key in fixed windows. Memory is bounded: beyond `MAX_RATE_LIMIT_KEYS` the key seen first is forgotten, so pair it with a limit over all keys. */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #now: () => Date;
  readonly #windows = new Map<string, Window>();

  constructor(limit: RateLimit, now: () => Date) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Counts one attempt, or throws `resource_exhausted` with the time to wait. */
  take(key: string): void {
    const window = this.#window(key);
    if (window.used >= this.#limit.max) {
      throw new StatusError('resource_exhausted', 'too many attempts; try again later', {
        retryAfterMs: Math.max(1, window.endsMs - this.#now().getTime()),
      });
    }
    window.used += 1;
  }

  /** Takes back one attempt that turned out to be honest. */
  giveBack(key: string): void {
    const window = this.#windows.get(key);
    if (window !== undefined && window.used > 0) {
      window.used -= 1;
    }
  }

  #window(key: string): Window {
    const nowMs = this.#now().getTime();
    const known = this.#windows.get(key);
    if (known !== undefined && known.endsMs > nowMs) {
      return known;
    }
    this.#windows.delete(key);
    this.#makeRoom();
    const window = { endsMs: nowMs + this.#limit.windowMs, used: 0 };
    this.#windows.set(key, window);
    return window;
  }

  // All windows have one length, so the first in the map ends first.
  #makeRoom(): void {
    if (this.#windows.size >= MAX_RATE_LIMIT_KEYS) {
      const [oldest] = this.#windows.keys();
      this.#windows.delete(oldest as string);
    }
  }
}
