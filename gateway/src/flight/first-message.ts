import type { ServerHttp2Stream } from 'node:http2';
import { MessageSplitter } from '@jetbridge/proto/grpc-frame';
import { StatusError } from '@jetbridge/proto/status-error';

/** Bytes that calls may hold while they wait to be routed, over all clients together. */
export class WaitingBytes {
  readonly #most: number;
  #held = 0;

  constructor(most: number) {
    this.#most = most;
  }

  hold(bytes: number): void {
    if (this.#held + bytes > this.#most) {
      throw new StatusError('resource_exhausted', 'too many large requests are arriving at once; try again later', { retryAfterMs: 1_000 });
    }
    this.#held += bytes;
  }

  release(bytes: number): void {
    this.#held -= bytes;
  }
}

export interface RequestHead {
  /** The first message, without its prefix; undefined when the client sent none. */
  readonly message: Buffer | undefined;
  /** Everything read to get it, as it came: to be passed on before the rest of the stream. */
  readonly chunks: readonly Buffer[];
  /** To be called when the chunks are no longer held. May be called again. */
  readonly release: () => void;
}

export interface RequestHeadLimits {
  readonly messageBytes: number;
  readonly timeoutMs: number;
  /** The client says one message and no more: what has come of the request's end is read, too, so that it can be passed on with the message. */
  readonly alone: boolean;
  readonly waiting: WaitingBytes;
}

/** Reads up to the end of the first gRPC message (and of the request, when that comes with it), and leaves the stream paused behind it. */
export function readRequestHead(stream: ServerHttp2Stream, limits: RequestHeadLimits): Promise<RequestHead> {
  return new Promise((resolve, reject) => {
    const splitter = new MessageSplitter(limits.messageBytes);
    const chunks: Buffer[] = [];
    let heldBytes = 0;
    let whole: Buffer | undefined;
    let turn: NodeJS.Immediate | undefined;

    const release = (): void => {
      limits.waiting.release(heldBytes);
      heldBytes = 0;
    };
    const stop = (): void => {
      clearTimeout(timeout);
      clearImmediate(turn);
      stream.pause();
      stream.off('data', onData).off('end', onEnd).off('close', onClose);
    };
    const finish = (): void => {
      stop();
      resolve({ message: whole, chunks, release });
    };
    const fail = (error: unknown): void => {
      stop();
      release();
      reject(error as Error);
    };
    const onData = (chunk: Buffer): void => {
      try {
        limits.waiting.hold(chunk.length);
        heldBytes += chunk.length;
        chunks.push(chunk);
        if (whole === undefined) {
          [whole] = splitter.push(chunk);
          if (whole !== undefined && limits.alone) {
            // The end has arrived with it, or is not waited for.
            turn = setImmediate(finish);
            return;
          }
        }
        if (whole !== undefined) {
          finish();
        }
      } catch (error) {
        fail(error);
      }
    };
    const onEnd = (): void => {
      if (whole === undefined && splitter.midMessage) {
        fail(new StatusError('invalid_argument', 'the request ends within a message'));
      } else {
        finish();
      }
    };
    const onClose = (): void => fail(new StatusError('cancelled', 'the client went away'));
    const timeout = setTimeout(
      () => fail(new StatusError('deadline_exceeded', `the request's first message did not arrive within ${limits.timeoutMs} ms`)),
      limits.timeoutMs,
    );
    if (stream.destroyed) {
      onClose();
      return;
    }
    stream.on('data', onData).on('end', onEnd).on('close', onClose);
  });
}
