import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { StatusError, toStatusError } from '@jetbridge/proto/status-error';
import { COMMAND_BYTES_MAX } from '../limits.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import { timeoutMsOf } from './deadline.ts';
import { readMessage, Upload } from './inflow.ts';
import { Outflow } from './outflow.ts';

/** One RPC: what was asked, and the way to answer. */
export interface Call {
  /** The `:path`'s last part. */
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** Fires when nobody waits for the answer any more: caller gone, deadline passed, tunnel lost. */
  readonly signal: AbortSignal;
  readonly out: Outflow;
  /** Sent with the status, whether the call succeeds or fails. */
  readonly trailers: OutgoingHttpHeaders;
  message(): Promise<Buffer>;
  /** To be taken once, instead of `message`. */
  upload(messageBytesMax: number): Upload;
}

/** Answers one method: returning ends the call with success, throwing with the failure. */
export type Handler = (call: Call) => Promise<void>;

export interface GrpcServerOptions {
  /** By `:path`. */
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Serves gRPC on HTTP/2 streams: framing, deadlines, cancellation, statuses. */
export class GrpcServer {
  readonly #options: GrpcServerOptions;

  constructor(options: GrpcServerOptions) {
    this.#options = options;
  }

  /** Answers one stream. Never throws and never rejects; resolves when the call has been answered or abandoned. */
  async serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    // Streams report a peer's reset as an error; 'close' tells the same, and always.
    stream.on('error', () => undefined);
    if (headers[':method'] !== 'POST' || !String(headers['content-type'] ?? '').startsWith('application/grpc')) {
      stream.respond({ ':status': headers[':method'] === 'POST' ? 415 : 405 }, { endStream: true });
      return;
    }
    const path = String(headers[':path'] ?? '');
    const handler = this.#options.handlers.get(path);
    const method = handler === undefined ? 'unknown' : path.slice(path.lastIndexOf('/') + 1);
    const ending = await this.#answer(stream, headers, method, handler ?? unknownMethod);
    this.#options.metrics.callEnded(method, ending);
  }

  async #answer(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    method: string,
    handler: Handler,
  ): Promise<'ok' | StatusError['code']> {
    const abort = new AbortController();
    const { signal } = abort;
    const onClose = (): void => abort.abort(new StatusError('cancelled', 'the caller has gone'));
    stream.once('close', onClose);
    const out = new Outflow(stream);
    const trailers: OutgoingHttpHeaders = {};
    let deadline: NodeJS.Timeout | undefined;
    try {
      deadline = startDeadline(headers, abort);
      await handler({
        method,
        headers,
        signal,
        out,
        trailers,
        message: () => readMessage(stream, COMMAND_BYTES_MAX, signal),
        upload: (messageBytesMax) => new Upload(stream, messageBytesMax, signal),
      });
      signal.throwIfAborted();
      out.end(trailers);
      return 'ok';
    } catch (thrown) {
      const error = toStatusError(thrown);
      this.#report(method, error);
      out.fail(error, trailers);
      return error.code;
    } finally {
      clearTimeout(deadline);
      stream.off('close', onClose);
    }
  }

  // Callers' mistakes are theirs to read; what is ours to mend is logged with its cause.
  #report(method: string, error: StatusError): void {
    const fields = { method, code: error.code, err: error.cause ?? error };
    if (error.code === 'internal' || error.code === 'unknown' || error.code === 'data_loss') {
      this.#options.log.error(fields, 'call failed');
    } else {
      this.#options.log.debug({ method, code: error.code, reason: error.message }, 'call refused');
    }
  }
}

function startDeadline(headers: IncomingHttpHeaders, abort: AbortController): NodeJS.Timeout | undefined {
  const timeoutMs = timeoutMsOf(headers['grpc-timeout']);
  if (timeoutMs === undefined) {
    return undefined;
  }
  return setTimeout(() => abort.abort(new StatusError('deadline_exceeded', 'the time that the caller gave has passed')), timeoutMs);
}

function unknownMethod({ headers }: Call): Promise<void> {
  return Promise.reject(
    new StatusError('unimplemented', `this worker does not serve ${JSON.stringify(String(headers[':path']).slice(0, 200))}`),
  );
}
