import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Where results go. A reader that went away (`| head`) is no error: `closed` tells so, and writing stops. */
export interface Output {
  readonly isTerminal: boolean;
  readonly closed: AbortSignal;
  /** Resolves when more may be written. */
  write(chunk: string | Uint8Array): Promise<void>;
}

export class StreamOutput implements Output {
  readonly isTerminal: boolean;
  readonly #stream: Writable;
  readonly #closed = new AbortController();

  constructor(stream: Writable & { readonly isTTY?: boolean }) {
    this.#stream = stream;
    this.isTerminal = stream.isTTY === true;
    stream.on('error', (error: NodeJS.ErrnoException) => this.#closed.abort(error));
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  async write(chunk: string | Uint8Array): Promise<void> {
    if (chunk.length === 0 || this.#closed.signal.aborted) {
      return;
    }
    if (!this.#stream.write(chunk)) {
      await once(this.#stream, 'drain', { signal: this.#closed.signal }).catch(() => undefined);
    }
  }
}
