import { StatusError } from '@jetbridge/proto/status-error';

interface Waiter {
  readonly enter: () => void;
}

/** Lets `permits` callers in at once and the others wait in order, at most `waitingMax` of them. */
export class Gate {
  readonly #waitingMax: number;
  readonly #refusal: string;
  readonly #waiting: Set<Waiter> = new Set();
  #free: number;

  constructor(permits: number, waitingMax: number, refusal: string) {
    this.#free = permits;
    this.#waitingMax = waitingMax;
    this.#refusal = refusal;
  }

  /** True when somebody waits. */
  get contended(): boolean {
    return this.#waiting.size > 0;
  }

  /** True when no further caller would get in at once. */
  get taken(): boolean {
    return this.#free === 0;
  }

  /** Resolves once inside: `leave` must follow. Rejects with the signal's reason, or `resource_exhausted` when too many wait. */
  enter(signal: AbortSignal, priority: 'new' | 'running' = 'new'): Promise<void> | undefined {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return undefined;
    }
    if (priority === 'new' && this.#waiting.size >= this.#waitingMax) {
      throw new StatusError('resource_exhausted', this.#refusal);
    }
    return this.#wait(signal);
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(waiter);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        enter: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
    });
  }

  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next.enter();
  }
}
