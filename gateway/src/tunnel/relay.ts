import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { MessageBoundary } from '@jetbridge/proto/grpc-frame';
import { StatusError, toStatusError } from '@jetbridge/proto/status-error';
import { grpcStatusOf, statusTrailers } from '@jetbridge/proto/status-grpc';
import { finishRequest } from './finish-request.ts';
import { passRequest } from './pass-request.ts';
import { answerTrailersOnly, answerWithStatus, errorOfReset, resetCodeOf } from './relay-answer.ts';
import { flow } from './relay-flow.ts';
import { responseHeadersForClient, trailersForClient } from './relay-headers.ts';
import type { Relay, RelayCall, RelayEnd, RelayOutcome } from './relay-interface.ts';

/** The relay on node:http2. */
export const relay: Relay = (call) => {
  return new Promise((resolve) => {
    new RelayedCall(call, resolve).start();
  });
};

type Progress =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'held'; readonly headers: IncomingHttpHeaders; readonly chunks: Buffer[]; bytes: number }
  | { readonly kind: 'flowing' }
  | { readonly kind: 'decided'; readonly end: RelayEnd; readonly status: number };

const CLIENT_GONE = { end: 'client_gone', status: grpcStatusOf('cancelled') } as const;

class RelayedCall {
  readonly #call: RelayCall;
  readonly #client: ServerHttp2Stream;
  readonly #resolve: (outcome: RelayOutcome) => void;
  readonly #boundary = new MessageBoundary();
  #progress: Progress = { kind: 'waiting' };
  #worker: ClientHttp2Stream | undefined;
  #workerTrailers: IncomingHttpHeaders | undefined;
  #clientTrailers: OutgoingHttpHeaders | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #answered = false;
  #requestBytes = 0;
  #responseBytes = 0;

  constructor(call: RelayCall, resolve: (outcome: RelayOutcome) => void) {
    this.#call = call;
    this.#client = call.client;
    this.#resolve = resolve;
  }

  start(): void {
    const client = this.#client;
    client.on('error', () => {
      // 'close' follows, and decides.
    });
    client.once('aborted', () => this.#clientGone());
    client.once('close', () => this.#clientClosed());
    client.on('wantTrailers', () => this.#sendTrailers());
    if (client.destroyed) {
      this.#clientClosed();
      return;
    }
    try {
      this.#worker = this.#call.tunnel.openStream(this.#call.headers);
    } catch (thrown) {
      this.#fail('worker_lost', toStatusError(thrown));
      return;
    }
    this.#listen(this.#worker);
    passRequest(this.#call, this.#worker, (bytes) => {
      this.#requestBytes += bytes;
    });
    if (this.#call.timeoutMs !== undefined) {
      this.#deadline = setTimeout(() => this.#expire(), this.#call.timeoutMs + this.#call.limits.deadlineGraceMs);
    }
  }

  #listen(worker: ClientHttp2Stream): void {
    worker.on('error', () => {
      // 'close' follows, and decides.
    });
    // Bytes may arrive before the headers are announced, and writing them would answer the client without a content type: nothing reads
    // the response before this event.
    worker.once('response', (headers, flags) => this.#onResponse(worker, headers, flags));
    worker.once('trailers', (trailers) => {
      this.#workerTrailers = trailers;
    });
    worker.once('close', () => this.#workerClosed(worker));
  }

  #onResponse(worker: ClientHttp2Stream, headers: IncomingHttpHeaders & IncomingHttpStatusHeader, flags: number): void {
    if (this.#progress.kind !== 'waiting' || this.#client.closed) {
      return;
    }
    if (headers[':status'] !== 200) {
      this.#fail('worker_lost', new StatusError('internal', `the worker answered with HTTP status ${headers[':status']}`));
      return;
    }
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
      this.#workerTrailers = headers;
      worker.resume();
      this.#completeTrailersOnly(headers);
      return;
    }
    this.#progress = { kind: 'held', headers, chunks: [], bytes: 0 };
    if (!this.#call.holdFirstMessage) {
      this.#release();
    }
    flow(worker, this.#client, {
      coalesceBytes: this.#call.limits.coalesceBytes,
      pass: (chunk) => this.#passResponse(chunk),
      ended: () => this.#responseEnded(),
    });
  }

  #completeTrailersOnly(headers: IncomingHttpHeaders): void {
    const status = statusIn(headers);
    if (status === undefined) {
      this.#fail('worker_lost', errorOfReset(constants.NGHTTP2_NO_ERROR));
      return;
    }
    this.#decide('completed', status);
    this.#answered = true;
    answerTrailersOnly(this.#client, responseHeadersForClient(headers));
  }

  #passResponse(chunk: Buffer): boolean {
    const progress = this.#progress;
    if (progress.kind === 'decided') {
      return false;
    }
    this.#responseBytes += chunk.length;
    this.#boundary.push(chunk);
    if (progress.kind !== 'held') {
      return true;
    }
    progress.chunks.push(chunk);
    progress.bytes += chunk.length;
    if (this.#boundary.atBoundary || progress.bytes >= this.#call.limits.heldBytes) {
      this.#release();
    }
    return false;
  }

  #release(): void {
    const progress = this.#progress;
    // A client that has just left is still to be heard of; it cannot be answered any more.
    if (progress.kind !== 'held' || this.#client.closed) {
      return;
    }
    this.#progress = { kind: 'flowing' };
    this.#client.respond(responseHeadersForClient(progress.headers), { waitForTrailers: true });
    this.#client.cork();
    for (const chunk of progress.chunks) {
      this.#client.write(chunk);
    }
    this.#client.uncork();
    if (this.#client.writableNeedDrain) {
      this.#worker?.pause();
    }
  }

  // Trailers are announced before the end. Without them the reason follows with 'close'.
  #responseEnded(): void {
    if (this.#progress.kind === 'decided' || this.#workerTrailers === undefined) {
      return;
    }
    const status = statusIn(this.#workerTrailers);
    if (status === undefined || !this.#boundary.atBoundary) {
      this.#fail('worker_lost', errorOfReset(constants.NGHTTP2_NO_ERROR));
      return;
    }
    this.#release();
    this.#decide('completed', status);
    this.#clientTrailers = trailersForClient(this.#workerTrailers);
    this.#client.end();
  }

  #workerClosed(worker: ClientHttp2Stream): void {
    if (this.#progress.kind === 'decided') {
      return;
    }
    // When a tunnel dies, Node gives its streams codes that say CANCEL or INTERNAL_ERROR: only the tunnel itself knows.
    this.#fail(
      'worker_lost',
      this.#call.tunnel.lost
        ? new StatusError('unavailable', 'the tunnel to the worker was lost; run the statement again')
        : errorOfReset(worker.rstCode),
    );
  }

  #expire(): void {
    this.#fail('deadline', new StatusError('deadline_exceeded', 'the call did not finish within the time the client allowed'));
  }

  #clientGone(): void {
    if (this.#progress.kind !== 'decided') {
      this.#decide(CLIENT_GONE.end, CLIENT_GONE.status);
    }
  }

  #clientClosed(): void {
    this.#clientGone();
    // Whatever is left of the worker's side has nobody to serve.
    this.#resetWorker();
    this.#call.receivedWritten();
    this.#resolve({
      ...this.#verdict(),
      trailers: this.#workerTrailers ?? {},
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
    });
  }

  // A client that left before the status could be sent has not been served, however well the worker did.
  #verdict(): { readonly end: RelayEnd; readonly status: number } {
    const progress = this.#progress;
    return progress.kind === 'decided' && (this.#answered || progress.end !== 'completed')
      ? { end: progress.end, status: progress.status }
      : CLIENT_GONE;
  }

  #fail(end: RelayEnd, error: StatusError): void {
    const before = this.#progress.kind;
    if (before === 'decided') {
      return;
    }
    this.#decide(end, grpcStatusOf(error.code));
    if (before !== 'flowing') {
      answerWithStatus(this.#client, error);
    } else if (this.#boundary.atBoundary) {
      this.#clientTrailers = { ...statusTrailers(error) };
      this.#client.end();
    } else {
      this.#client.close(resetCodeOf(error.code));
    }
  }

  #decide(end: RelayEnd, status: number): void {
    this.#progress = { kind: 'decided', end, status };
    clearTimeout(this.#deadline);
    // After a complete answer to an unfinished request, the rest of it has no reader either.
    if (end !== 'completed' || !this.#client.readableEnded) {
      this.#resetWorker();
    }
  }

  #resetWorker(): void {
    const worker = this.#worker;
    if (worker !== undefined && !worker.closed && !worker.destroyed) {
      worker.close(constants.NGHTTP2_CANCEL);
    }
  }

  #sendTrailers(): void {
    if (this.#clientTrailers !== undefined && !this.#client.closed) {
      this.#client.sendTrailers(this.#clientTrailers);
      this.#answered = true;
      finishRequest(this.#client);
    }
  }
}

function statusIn(headers: IncomingHttpHeaders): number | undefined {
  const value = headers['grpc-status'];
  return typeof value === 'string' && /^[0-9]{1,2}$/.test(value) ? Number(value) : undefined;
}
