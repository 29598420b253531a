import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2';
import { StatusError, toStatusError } from '@jetbridge/proto/status-error';
import { grpcStatusOf } from '@jetbridge/proto/status-grpc';
import { ClientAnswer, type Sent } from './client-answer.ts';
import { passRequest } from './pass-request.ts';
import { errorOfEnd, errorOfReset, statusIn } from './relay-answer.ts';
import { flow } from './relay-flow.ts';
import { responseHeadersForClient } from './relay-headers.ts';
import type { RelayEnd, RelayOutcome, TunnelCall } from './relay-interface.ts';

/** What becomes of the worker's response: in this alone calls differ. */
export interface ResponsePath<Outcome> {
  /** The response has begun and is not its headers alone. Its bytes follow. */
  headers(headers: IncomingHttpHeaders): void;
  /** Sees every chunk, also of a call that is decided. True when the whole chunk is to be passed to the client. */
  bytes(chunk: Buffer): boolean;
  /** The worker has sent all its bytes, and trailers. */
  ended(trailers: IncomingHttpHeaders): void;
  /** What the client has of the answer so far; asked only while nothing is decided. */
  sent(): Sent;
  /** How the call ends is certain from now on. Called once, before the client is told. */
  decided(): void;
  /** The worker sends nothing more. When nothing is decided yet, the call fails right after this. */
  workerClosed(): void;
  /** The last: nobody can be answered any more. Says what came of the call. */
  clientClosed(served: Served): Outcome;
}

export type Served = Pick<RelayOutcome, 'end' | 'status' | 'requestBytes'>;

interface Verdict {
  readonly end: RelayEnd;
  readonly status: number;
}

const CLIENT_GONE: Verdict = { end: 'client_gone', status: grpcStatusOf('cancelled') };

/**
 * Carries a call's request to the worker and its response along a path of its own. Resolves when the client's stream has closed; never rejects.
 * `pathOf` is called once, at once, and may only keep what it is given.
 */
export function relayStreams<Outcome>(
  call: TunnelCall,
  pathOf: (streams: RelayedStreams<Outcome>) => ResponsePath<Outcome>,
): Promise<Outcome> {
  return new Promise((resolve) => {
    new RelayedStreams(call, pathOf, resolve).start();
  });
}

/** One client's stream and one worker's: either going away is heard of here, and the call is decided once. */
export class RelayedStreams<Outcome> {
  readonly answer: ClientAnswer;
  readonly #call: TunnelCall;
  readonly #path: ResponsePath<Outcome>;
  readonly #resolve: (outcome: Outcome) => void;
  #worker: ClientHttp2Stream | undefined;
  #workerTrailers: IncomingHttpHeaders | undefined;
  #verdict: Verdict | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #requestBytes = 0;

  constructor(call: TunnelCall, pathOf: (streams: RelayedStreams<Outcome>) => ResponsePath<Outcome>, resolve: (outcome: Outcome) => void) {
    this.#call = call;
    this.answer = new ClientAnswer(call.client);
    this.#resolve = resolve;
    this.#path = pathOf(this);
  }

  /** Undefined when no stream could be opened. */
  get worker(): ClientHttp2Stream | undefined {
    return this.#worker;
  }

  /** As the worker sent them; empty as long as they have not come. */
  get workerTrailers(): IncomingHttpHeaders {
    return this.#workerTrailers ?? {};
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
      this.#deadline = setTimeout(() => this.#expire(), timeoutMs + limits.deadlineGraceMs);
    }
  }

  /** The worker's own status is what the client gets; the caller passes it on. */
  complete(status: number): void {
    this.#decide({ end: 'completed', status });
  }

  /** The worker's stream has ended, but not as an answer does. */
  failIncomplete(): void {
    this.#fail('worker_lost', errorOfReset(constants.NGHTTP2_NO_ERROR));
  }

  resetWorker(): void {
    const worker = this.#worker;
    if (worker !== undefined && !worker.closed && !worker.destroyed) {
      worker.close(constants.NGHTTP2_CANCEL);
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
    const { client, limits } = this.#call;
    if (this.#verdict !== undefined || client.closed) {
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
    this.#path.headers(headers);
    flow(worker, client, {
      coalesceBytes: limits.coalesceBytes,
      pass: (chunk) => this.#path.bytes(chunk),
      ended: () => this.#responseEnded(),
    });
  }

  #completeTrailersOnly(headers: IncomingHttpHeaders): void {
    const status = statusIn(headers);
    if (status === undefined) {
      this.failIncomplete();
      return;
    }
    this.complete(status);
    this.answer.trailersOnly(responseHeadersForClient(headers));
  }

  // Trailers are announced before the end. Without them the reason follows with 'close'.
  #responseEnded(): void {
    if (this.#workerTrailers !== undefined) {
      this.#path.ended(this.#workerTrailers);
    }
  }

  #workerClosed(worker: ClientHttp2Stream): void {
    this.#path.workerClosed();
    if (this.#verdict === undefined) {
      this.#fail('worker_lost', errorOfEnd(this.#call.tunnel, worker.rstCode));
    }
  }

  #expire(): void {
    this.#fail('deadline', new StatusError('deadline_exceeded', 'the call did not finish within the time the client allowed'));
  }

  #clientGone(): void {
    if (this.#verdict === undefined) {
      this.#decide(CLIENT_GONE);
    }
  }

  #clientClosed(): void {
    this.#clientGone();
    const { end, status } = this.#reached();
    const outcome = this.#path.clientClosed({ end, status, requestBytes: this.#requestBytes });
    this.#call.receivedWritten();
    this.#resolve(outcome);
  }

  // A client that left before the status could be sent has not been served, however well the worker did.
  #reached(): Verdict {
    const verdict = this.#verdict;
    return verdict !== undefined && (this.answer.complete || verdict.end !== 'completed') ? verdict : CLIENT_GONE;
  }

  #fail(end: RelayEnd, error: StatusError): void {
    if (this.#verdict === undefined) {
      const sent = this.#path.sent();
      this.#decide({ end, status: grpcStatusOf(error.code) });
      this.answer.fail(error, sent);
    }
  }

  #decide(verdict: Verdict): void {
    this.#verdict = verdict;
    clearTimeout(this.#deadline);
    this.#path.decided();
    if (verdict.end !== 'completed') {
      this.resetWorker();
    }
  }
}
