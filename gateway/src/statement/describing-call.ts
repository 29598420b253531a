import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { CARRIED_COMPLETE, CARRIED_TRAILER } from '@jetbridge/proto/headers';
import { StatusError, toStatusError } from '@jetbridge/proto/status-error';
import { grpcStatusOf } from '@jetbridge/proto/status-grpc';
import { handleInFlightInfo } from '../routing/ticket-handle.ts';
import { passRequest } from '../tunnel/pass-request.ts';
import { errorOfReset } from '../tunnel/relay-answer.ts';
import { flow } from '../tunnel/relay-flow.ts';
import { responseHeadersForClient, trailersForClient } from '../tunnel/relay-headers.ts';
import type { RelayCall, RelayEnd, RelayOutcome } from '../tunnel/relay-interface.ts';
import type { CarriedPlace } from './carried-results.ts';
import { CarriedTail } from './carried-tail.ts';
import { ClientAnswer } from './client-answer.ts';
import { usageIn } from './usage.ts';
import { endOfMessage, errorOfEnd, MESSAGE_PREFIX_BYTES, statusIn } from './worker-answer.ts';

/** A GetFlightInfo whose result may follow on the same stream. */
export interface DescribingCall extends Omit<RelayCall, 'holdFirstMessage'> {
  readonly workerId: string;
  readonly place: CarriedPlace;
  readonly tailTimeoutMs: number;
}

export interface DescribingOutcome extends Omit<RelayOutcome, 'trailers'> {
  /** The worker's trailers, which may come long after the client has its answer; empty when they never come. */
  readonly trailers: Promise<IncomingHttpHeaders>;
}

/**
 * Carries a GetFlightInfo like the relay, except that the client's call ends with the first message: the answer has only one. What the worker
 * sends behind it goes into the place reserved for it. Resolves when the client's stream has closed; never rejects.
 *
 * - The client going away before it has been answered resets the worker's stream; afterwards the rest is still taken, for its DoGet.
 * - Deadline, a lost tunnel and errors of the worker reach the client as they do through the relay.
 */
export function describingCall(call: DescribingCall): Promise<DescribingOutcome> {
  return new Promise((resolve) => {
    new DescribedStatement(call, resolve).start();
  });
}

type Progress =
  | { readonly kind: 'waiting' }
  /** The first message is arriving. */
  | { readonly kind: 'held'; readonly headers: IncomingHttpHeaders; bytes: Buffer }
  /** It is too large to be held: `missingBytes` of it still have to come. */
  | { readonly kind: 'flowing'; missingBytes: number }
  | { readonly kind: 'decided'; readonly end: RelayEnd; readonly status: number };

const OK: OutgoingHttpHeaders = { 'grpc-status': '0' };
const CLIENT_GONE = { end: 'client_gone', status: grpcStatusOf('cancelled') } as const;

class DescribedStatement {
  readonly #call: DescribingCall;
  readonly #resolve: (outcome: DescribingOutcome) => void;
  readonly #answer: ClientAnswer;
  readonly #trailers = Promise.withResolvers<IncomingHttpHeaders>();
  #progress: Progress = { kind: 'waiting' };
  #worker: ClientHttp2Stream | undefined;
  #workerTrailers: IncomingHttpHeaders | undefined;
  #tail: CarriedTail | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #requestBytes = 0;
  #responseBytes = 0;

  constructor(call: DescribingCall, resolve: (outcome: DescribingOutcome) => void) {
    this.#call = call;
    this.#answer = new ClientAnswer(call.client);
    this.#resolve = resolve;
  }

  start(): void {
    const { client, tunnel, headers, timeoutMs, limits } = this.#call;
    client.on('error', () => {
      // 'close' follows, and decides.
    });
    client.once('aborted', () => this.#clientGone());
    client.once('close', () => this.#clientClosed());
    if (client.destroyed) {
      this.#clientClosed();
      return;
    }
    try {
      this.#worker = tunnel.openStream(headers);
    } catch (thrown) {
      this.#fail('worker_lost', toStatusError(thrown));
      return;
    }
    this.#listen(this.#worker);
    passRequest(this.#call, this.#worker, (bytes) => {
      this.#requestBytes += bytes;
    });
    if (timeoutMs !== undefined) {
      const error = new StatusError('deadline_exceeded', 'the call did not finish within the time the client allowed');
      this.#deadline = setTimeout(() => this.#fail('deadline', error), timeoutMs + limits.deadlineGraceMs);
    }
  }

  #listen(worker: ClientHttp2Stream): void {
    // As for the client: 'close' follows, and decides.
    worker.on('error', () => undefined);
    worker.once('response', (headers, flags) => this.#onResponse(worker, headers, flags));
    worker.once('trailers', (trailers) => {
      this.#workerTrailers = trailers;
    });
    worker.once('close', () => this.#workerClosed(worker));
  }

  #onResponse(worker: ClientHttp2Stream, headers: IncomingHttpHeaders & IncomingHttpStatusHeader, flags: number): void {
    const { client, limits } = this.#call;
    if (this.#progress.kind !== 'waiting' || client.closed) {
      return;
    }
    if (headers[':status'] !== 200) {
      this.#fail('worker_lost', new StatusError('internal', `the worker answered with HTTP status ${headers[':status']}`));
      return;
    }
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) {
      worker.resume();
      this.#completeTrailersOnly(headers);
      return;
    }
    this.#progress = { kind: 'held', headers, bytes: Buffer.alloc(0) };
    flow(worker, client, {
      coalesceBytes: limits.coalesceBytes,
      pass: (chunk) => this.#take(chunk),
      ended: () => this.#responseEnded(),
    });
  }

  #completeTrailersOnly(headers: IncomingHttpHeaders): void {
    const status = statusIn(headers);
    if (status === undefined) {
      this.#fail('worker_lost', errorOfReset(constants.NGHTTP2_NO_ERROR));
      return;
    }
    this.#workerTrailers = headers;
    this.#decide('completed', status);
    this.#answer.trailersOnly(responseHeadersForClient(headers));
  }

  /** True when the whole chunk is to be passed to the client. */
  #take(chunk: Buffer): boolean {
    const progress = this.#progress;
    switch (progress.kind) {
      case 'held':
        progress.bytes = progress.bytes.length === 0 ? chunk : Buffer.concat([progress.bytes, chunk]);
        this.#describe(progress.headers, progress.bytes);
        return false;
      case 'flowing':
        return this.#flowOn(progress, chunk);
      case 'decided':
        this.#takeTail(chunk);
        return false;
      case 'waiting':
        return false;
    }
  }

  #describe(headers: IncomingHttpHeaders, bytes: Buffer): void {
    const { client, limits, place, workerId } = this.#call;
    const end = endOfMessage(bytes);
    if (end === undefined || (bytes.length < end && bytes.length < limits.heldBytes) || client.closed) {
      return;
    }
    this.#answer.begin(responseHeadersForClient(headers));
    if (bytes.length < end) {
      this.#progress = { kind: 'flowing', missingBytes: end - bytes.length };
      this.#responseBytes += bytes.length;
      client.write(bytes);
      return;
    }
    const handle = handleInFlightInfo(bytes.subarray(MESSAGE_PREFIX_BYTES, end), workerId);
    if (handle !== undefined) {
      place.expect(handle);
    }
    this.#complete(bytes.subarray(0, end));
    this.#takeTail(bytes.subarray(end));
  }

  // Nobody looks for a handle in so large a FlightInfo: what follows is dropped.
  #flowOn(progress: { missingBytes: number }, chunk: Buffer): boolean {
    if (chunk.length < progress.missingBytes) {
      progress.missingBytes -= chunk.length;
      this.#responseBytes += chunk.length;
      return true;
    }
    this.#complete(chunk.subarray(0, progress.missingBytes));
    return false;
  }

  /** `rest`: what was still missing of the first message. */
  #complete(rest: Buffer): void {
    this.#decide('completed', 0);
    this.#responseBytes += rest.length;
    this.#answer.end(OK, rest);
    this.#tail = new CarriedTail(this.#call.place, this.#call.tailTimeoutMs, () => this.#resetWorker());
    // The client's pace no longer matters: what follows is small.
    this.#worker?.resume();
  }

  #takeTail(chunk: Buffer): void {
    if (chunk.length > 0) {
      this.#tail?.push(chunk);
    }
  }

  // Trailers are announced before the end. Without them the reason follows with 'close'.
  #responseEnded(): void {
    const trailers = this.#workerTrailers;
    if (trailers === undefined) {
      return;
    }
    const progress = this.#progress;
    const status = statusIn(trailers);
    if (progress.kind === 'decided') {
      const whole = status === 0 && trailers[CARRIED_TRAILER] === CARRIED_COMPLETE;
      this.#tail?.end(whole ? usageIn(trailers).rows : undefined);
    } else if (progress.kind !== 'held' || progress.bytes.length > 0 || status === undefined) {
      this.#fail('worker_lost', errorOfReset(constants.NGHTTP2_NO_ERROR));
    } else if (!this.#call.client.closed) {
      // No message at all: the status says why.
      this.#decide('completed', status);
      this.#answer.begin(responseHeadersForClient(progress.headers));
      this.#answer.end(trailersForClient(trailers));
    }
  }

  #workerClosed(worker: ClientHttp2Stream): void {
    this.#tail?.end(undefined);
    this.#call.place.giveUp();
    if (this.#progress.kind !== 'decided') {
      this.#fail('worker_lost', errorOfEnd(this.#call.tunnel, worker.rstCode));
    }
    this.#trailers.resolve(this.#workerTrailers ?? {});
  }

  #clientGone(): void {
    if (this.#progress.kind !== 'decided') {
      this.#decide(CLIENT_GONE.end, CLIENT_GONE.status);
    }
  }

  #clientClosed(): void {
    this.#clientGone();
    const verdict = this.#verdict();
    if (verdict.end !== 'completed') {
      this.#resetWorker();
      this.#call.place.giveUp();
    }
    this.#call.receivedWritten();
    if (this.#worker === undefined) {
      this.#trailers.resolve({});
    }
    this.#resolve({
      ...verdict,
      trailers: this.#trailers.promise,
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
    });
  }

  // A client that left before the status could be sent has not been served, however well the worker did.
  #verdict(): { readonly end: RelayEnd; readonly status: number } {
    const progress = this.#progress;
    return progress.kind === 'decided' && (this.#answer.complete || progress.end !== 'completed')
      ? { end: progress.end, status: progress.status }
      : CLIENT_GONE;
  }

  #fail(end: RelayEnd, error: StatusError): void {
    const before = this.#progress.kind;
    if (before === 'decided') {
      return;
    }
    this.#decide(end, grpcStatusOf(error.code));
    this.#answer.fail(error, before === 'flowing' ? 'within a message' : 'nothing sent');
  }

  #decide(end: RelayEnd, status: number): void {
    this.#progress = { kind: 'decided', end, status };
    clearTimeout(this.#deadline);
    if (end !== 'completed') {
      this.#resetWorker();
    }
  }

  #resetWorker(): void {
    const worker = this.#worker;
    if (worker !== undefined && !worker.closed && !worker.destroyed) {
      worker.close(constants.NGHTTP2_CANCEL);
    }
  }
}
