import type { ResultFrame } from './engine.ts';

type Waiter = PromiseWithResolvers<ResultFrame | undefined>;
type End = { readonly kind: 'ended' } | { readonly kind: 'failed'; readonly error: unknown };

/** Frames of one result on the way to its reader, and how they end. Frames made before a failure come before it. */
export class FrameQueue {
  readonly #frames: ResultFrame[] = [];
  readonly #waiting: Waiter[] = [];
  #end: End | undefined;

  /** Frames that nobody has taken yet, less those already asked for. */
  get ahead(): number {
    return this.#frames.length - this.#waiting.length;
  }

  get isOpen(): boolean {
    return this.#end === undefined;
  }

  push(frame: ResultFrame): void {
    const waiter = this.#waiting.shift();
    if (waiter) {
      waiter.resolve(frame);
    } else {
      this.#frames.push(frame);
    }
  }

  /** The first end stays. */
  end(end: End): void {
    this.#end ??= end;
    for (const waiter of this.#waiting.splice(0)) {
      settle(waiter, this.#end);
    }
  }

  /** The next frame, in the order of the calls; undefined at the end. */
  next(): Promise<ResultFrame | undefined> {
    const waiter: Waiter = Promise.withResolvers();
    const frame = this.#frames.shift();
    if (frame) {
      waiter.resolve(frame);
    } else if (this.#end) {
      settle(waiter, this.#end);
    } else {
      this.#waiting.push(waiter);
    }
    return waiter.promise;
  }

  /** Releases what nobody will read. */
  drop(): void {
    for (const frame of this.#frames.splice(0)) {
      frame.release();
    }
  }
}

function settle(waiter: Waiter, end: End): void {
  if (end.kind === 'failed') {
    waiter.reject(end.error);
  } else {
    waiter.resolve(undefined);
  }
}
