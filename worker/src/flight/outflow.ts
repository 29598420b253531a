import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { StatusError } from '@jetbridge/proto/status-error';
import { statusTrailers } from '@jetbridge/proto/status-grpc';
import { COALESCE_BYTES, COALESCE_DELAY_MS, STREAM_BUFFER_BYTES } from '../limits.ts';

const HEADERS: OutgoingHttpHeaders = { ':status': 200, 'content-type': 'application/grpc' };
const OK: OutgoingHttpHeaders = { 'grpc-status': '0' };

interface Held {
  readonly bytes: Buffer;
  readonly sent: (() => void) | undefined;
}

/**
 * The answering half of one RPC. Small answers leave in one piece with their headers; large ones flow, and `send` asks for patience while
 * the reader is slow. Nothing is ever cut inside a message: an answer ends with trailers, or the stream is reset.
 */
export class Outflow {
  readonly #stream: ServerHttp2Stream;
  readonly #held: Held[] = [];
  #heldBytes = 0;
  #unsentBytes = 0;
  #flushTimer: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;
  #trailers: OutgoingHttpHeaders = OK;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
    stream.once('close', () => {
      clearTimeout(this.#flushTimer);
      this.#releaseHeld();
      this.#wakeUp();
    });
  }

  /**
   * Sends one whole gRPC message. `sent` is called once the bytes are no longer needed, whatever becomes of them. A returned promise resolves
   * when there is room again, or when the stream is gone.
   */
  send(bytes: Buffer, sent?: () => void): Promise<void> | undefined {
    if (this.#gone()) {
      sent?.();
      return undefined;
    }
    if (!this.#stream.headersSent && this.#heldBytes + bytes.length < COALESCE_BYTES) {
      this.#held.push({ bytes, sent });
      this.#heldBytes += bytes.length;
      this.#flushTimer ??= setTimeout(() => this.#flush(), COALESCE_DELAY_MS);
      return undefined;
    }
    this.#flush();
    this.#write({ bytes, sent });
    return this.#unsentBytes < STREAM_BUFFER_BYTES ? undefined : new Promise((resolve) => (this.#wake = resolve));
  }

  #flush(): void {
    clearTimeout(this.#flushTimer);
    if (this.#gone()) {
      this.#releaseHeld();
      return;
    }
    this.#respond();
    for (const held of this.#held.splice(0)) {
      this.#write(held);
    }
  }

  #write({ bytes, sent }: Held): void {
    this.#unsentBytes += bytes.length;
    this.#stream.write(bytes, () => {
      this.#unsentBytes -= bytes.length;
      sent?.();
      if (this.#unsentBytes < STREAM_BUFFER_BYTES) {
        this.#wakeUp();
      }
    });
  }

  #respond(): void {
    if (!this.#stream.headersSent) {
      this.#stream.respond(HEADERS, { waitForTrailers: true });
      this.#stream.once('wantTrailers', () => this.#stream.sendTrailers(this.#trailers));
    }
  }

  /** Ends a successful answer. */
  end(trailers: OutgoingHttpHeaders = {}): void {
    if (this.#gone()) {
      return;
    }
    this.#trailers = { ...OK, ...trailers };
    if (this.#stream.headersSent || this.#held.length === 0) {
      this.#flush();
      this.#stream.end();
      return;
    }
    clearTimeout(this.#flushTimer);
    this.#respond();
    const held = this.#held.splice(0);
    const [first] = held;
    const bytes =
      held.length === 1 && first !== undefined
        ? first.bytes
        : Buffer.concat(
            held.map((each) => each.bytes),
            this.#heldBytes,
          );
    this.#stream.end(bytes, () => {
      for (const { sent } of held) {
        sent?.();
      }
    });
  }

  /** Ends the answer with a failure: in trailers behind the messages already sent, and without any when none has left yet. */
  fail(error: StatusError, trailers: OutgoingHttpHeaders = {}): void {
    if (this.#gone()) {
      return;
    }
    clearTimeout(this.#flushTimer);
    this.#releaseHeld();
    const status = { ...statusTrailers(error), ...trailers };
    if (this.#stream.headersSent) {
      this.#trailers = status;
      this.#stream.end();
    } else {
      this.#stream.respond({ ...HEADERS, ...status }, { endStream: true });
    }
    this.#stopUpload();
  }

  // RFC 9113, 8.1: a server that has answered asks the client to stop sending by RST_STREAM with NO_ERROR.
  #stopUpload(): void {
    if (!this.#stream.readableEnded) {
      this.#stream.resume();
      const stop = (): void => this.#stream.close(constants.NGHTTP2_NO_ERROR);
      if (this.#stream.writableFinished) {
        stop();
      } else {
        this.#stream.once('finish', stop);
      }
    }
  }

  #gone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  #releaseHeld(): void {
    for (const { sent } of this.#held.splice(0)) {
      sent?.();
    }
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
