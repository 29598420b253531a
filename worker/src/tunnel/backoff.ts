import { BACKOFF_FIRST_MS, BACKOFF_MAX_MS } from '../limits.ts';

/** Delays between attempts: doubling, bounded, and spread over their upper half so that a fleet does not move in step. */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** How long to wait after one more failure. */
  nextMs(): number {
    const fullMs = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
    return fullMs * (0.5 + this.#random() / 2);
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
