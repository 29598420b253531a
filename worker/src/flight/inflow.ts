import type { ServerHttp2Stream } from 'node:http2';
import { MessageSplitter } from '@jetbridge/proto/grpc-frame';
import { StatusError } from '@jetbridge/proto/status-error';
import { MESSAGE_COST_BYTES, UPLOAD_AHEAD_BYTES } from '../limits.ts';

interface InflowBounds {
  readonly messageBytesMax: number;
  readonly totalBytesMax: number;
}

/** All messages of one call, once the caller has sent its last. */
function readMessages(stream: ServerHttp2Stream, bounds: InflowBounds, signal: AbortSignal): Promise<readonly Buffer[]> {
  return new Promise((resolve, reject) => {
    const splitter = new MessageSplitter(bounds.messageBytesMax);
    const messages: Buffer[] = [];
    let totalBytes = 0;
    const finish = (settle: () => void): void => {
      stream.off('data', onData).off('end', onEnd);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onData = (chunk: Buffer): void => {
      totalBytes += chunk.length;
      try {
        if (totalBytes > bounds.totalBytesMax) {
          throw new StatusError('resource_exhausted', `an upload may have ${bounds.totalBytesMax} bytes; send it in several calls`);
        }
        messages.push(...splitter.push(chunk));
      } catch (thrown) {
        finish(() => reject(thrown));
      }
    };
    const onEnd = (): void =>
      finish(() => {
        if (splitter.midMessage) {
          reject(new StatusError('invalid_argument', 'the call ended inside a message'));
        } else {
          resolve(messages);
        }
      });
    const onAbort = (): void => finish(() => reject(signal.reason));
    stream.on('data', onData).on('end', onEnd);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** The one message of a call that has exactly one. */
export async function readMessage(stream: ServerHttp2Stream, messageBytesMax: number, signal: AbortSignal): Promise<Buffer> {
  const messages = await readMessages(stream, { messageBytesMax, totalBytesMax: messageBytesMax + 5 }, signal);
  const [message] = messages;
  if (message === undefined || messages.length > 1) {
    throw new StatusError('invalid_argument', `this call takes one message, not ${messages.length}`);
  }
  return message;
}

type Waiting = { readonly resolve: (message: IteratorResult<Buffer, undefined>) => void; readonly reject: (reason: unknown) => void };
type State = { readonly kind: 'open' } | { readonly kind: 'ended' } | { readonly kind: 'failed'; readonly reason: unknown };

/**
 * The messages of one call as they come. The caller is held back while more than UPLOAD_AHEAD_BYTES wait here; beside them there is at most
 * one message in the making.
 */
export class Upload implements AsyncIterator<Buffer, undefined> {
  readonly #stream: ServerHttp2Stream;
  readonly #signal: AbortSignal;
  readonly #splitter: MessageSplitter;
  readonly #messages: Buffer[] = [];
  #bytes = 0;
  #state: State = { kind: 'open' };
  #waiting: Waiting | undefined;

  constructor(stream: ServerHttp2Stream, messageBytesMax: number, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
    this.#splitter = new MessageSplitter(messageBytesMax);
    if (signal.aborted) {
      this.#state = { kind: 'failed', reason: signal.reason };
      return;
    }
    signal.addEventListener('abort', this.#onAbort, { once: true });
    stream.on('data', this.#onData).on('end', this.#onEnd);
  }

  /** One asker at a time. */
  next(): Promise<IteratorResult<Buffer, undefined>> {
    const message = this.#messages.shift();
    if (message !== undefined) {
      this.#bytes -= message.length + MESSAGE_COST_BYTES;
      if (this.#bytes < UPLOAD_AHEAD_BYTES && this.#state.kind === 'open') {
        this.#stream.resume();
      }
      return Promise.resolve({ value: message, done: false });
    }
    switch (this.#state.kind) {
      case 'ended':
        return Promise.resolve({ value: undefined, done: true });
      case 'failed':
        return Promise.reject(this.#state.reason);
      case 'open':
        return new Promise((resolve, reject) => {
          this.#waiting = { resolve, reject };
        });
    }
  }

  readonly #onData = (chunk: Buffer): void => {
    try {
      for (const message of this.#splitter.push(chunk)) {
        this.#add(message);
      }
    } catch (thrown) {
      this.#settle({ kind: 'failed', reason: thrown });
      return;
    }
    if (this.#bytes >= UPLOAD_AHEAD_BYTES) {
      this.#stream.pause();
    }
  };

  readonly #onEnd = (): void => {
    const cut = this.#splitter.midMessage;
    this.#settle(
      cut ? { kind: 'failed', reason: new StatusError('invalid_argument', 'the call ended inside a message') } : { kind: 'ended' },
    );
  };

  readonly #onAbort = (): void => {
    this.#messages.length = 0;
    this.#settle({ kind: 'failed', reason: this.#signal.reason });
  };

  #add(message: Buffer): void {
    const waiting = this.#waiting;
    if (waiting === undefined) {
      this.#messages.push(message);
      this.#bytes += message.length + MESSAGE_COST_BYTES;
    } else {
      this.#waiting = undefined;
      waiting.resolve({ value: message, done: false });
    }
  }

  #settle(state: State): void {
    this.#state = state;
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#stream.off('data', this.#onData).off('end', this.#onEnd);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (state.kind === 'ended') {
      waiting?.resolve({ value: undefined, done: true });
    } else if (state.kind === 'failed') {
      waiting?.reject(state.reason);
    }
  }
}
