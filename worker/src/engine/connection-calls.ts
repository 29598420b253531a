import { StatusError } from '@jetbridge/proto/status-error';
import { INTERRUPT_REPEAT_MS } from './engine-limits.ts';

/** Calls on one connection: at most one runs, the others wait their turn, and an interruption reaches all that have been asked for. */
export class ConnectionCalls {
  readonly #interruptNative: () => void;
  readonly #pending = new Set<{ interrupted: boolean }>();
  #last: Promise<unknown> = Promise.resolve();
  #repeat: NodeJS.Timeout | undefined;

  constructor(interruptNative: () => void) {
    this.#interruptNative = interruptNative;
  }

  /** True when something waits for the call that runs. */
  get contended(): boolean {
    return this.#pending.size > 1;
  }

  /** Runs `call` when every earlier one has settled. An interruption before it begins keeps it from running. */
  run<T>(call: (wasInterrupted: () => boolean) => Promise<T>): Promise<T> {
    const state = { interrupted: false };
    this.#pending.add(state);
    const result = this.#last.then(async () => {
      if (state.interrupted) {
        throw interruptedError();
      }
      return call(() => state.interrupted);
    });
    this.#last = result.then(
      () => this.#settle(state),
      () => this.#settle(state),
    );
    return result;
  }

  /** Like `run` for work that frees something: an interruption does not keep it from running. */
  finish<T>(call: () => Promise<T> | T): Promise<T> {
    const result = this.#last.then(call);
    this.#last = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /**
   * DuckDB clears its interrupt flag whenever a statement begins, so a single request that arrives while a call waits for a pool thread
   * would be lost: it is repeated until everything asked for so far has settled.
   */
  interrupt(): void {
    this.#interruptNative();
    for (const state of this.#pending) {
      state.interrupted = true;
    }
    if (this.#pending.size === 0 || this.#repeat) {
      return;
    }
    this.#repeat = setInterval(() => this.#interruptNative(), INTERRUPT_REPEAT_MS);
  }

  #settle(state: { interrupted: boolean }): void {
    this.#pending.delete(state);
    if ([...this.#pending].some((other) => other.interrupted)) {
      return;
    }
    clearInterval(this.#repeat);
    this.#repeat = undefined;
  }
}

/** The failure of whatever an interruption ended. */
export function interruptedError(): StatusError {
  return new StatusError('cancelled', 'The statement was interrupted');
}
