import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { CARRIED_COMPLETE, CARRIED_TRAILER } from '@jetbridge/proto/headers';
import { handleInFlightInfo } from '../routing/ticket-handle.ts';
import type { Sent } from '../tunnel/client-answer.ts';
import { statusIn } from '../tunnel/relay-answer.ts';
import { responseHeadersForClient, trailersForClient } from '../tunnel/relay-headers.ts';
import type { RelayOutcome, TunnelCall } from '../tunnel/relay-interface.ts';
import { type RelayedStreams, type ResponsePath, relayStreams, type Served } from '../tunnel/relayed-streams.ts';
import type { CarriedPlace } from './carried-results.ts';
import { CarriedTail } from './carried-tail.ts';
import { usageIn } from './usage.ts';

/** A GetFlightInfo whose result may follow on the same stream. */
export interface DescribingCall extends TunnelCall {
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
  return relayStreams(call, (streams) => new DescribedStatement(call, streams));
}

type Progress =
  | { readonly kind: 'waiting' }
  /** The first message is arriving. */
  | { readonly kind: 'held'; readonly headers: IncomingHttpHeaders; bytes: Buffer }
  /** It is too large to be held: `missingBytes` of it still have to come. */
  | { readonly kind: 'flowing'; missingBytes: number }
  | { readonly kind: 'decided' };

const OK: OutgoingHttpHeaders = { 'grpc-status': '0' };
// gRPC over HTTP/2: a flag and four bytes of length stand before each message.
const MESSAGE_PREFIX_BYTES = 5;

class DescribedStatement implements ResponsePath<DescribingOutcome> {
  readonly #call: DescribingCall;
  readonly #streams: RelayedStreams<DescribingOutcome>;
  readonly #trailers = Promise.withResolvers<IncomingHttpHeaders>();
  #progress: Progress = { kind: 'waiting' };
  #tail: CarriedTail | undefined;
  #responseBytes = 0;

  constructor(call: DescribingCall, streams: RelayedStreams<DescribingOutcome>) {
    this.#call = call;
    this.#streams = streams;
  }

  headers(headers: IncomingHttpHeaders): void {
    this.#progress = { kind: 'held', headers, bytes: Buffer.alloc(0) };
  }

  bytes(chunk: Buffer): boolean {
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
    this.#streams.answer.begin(responseHeadersForClient(headers));
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
    this.#streams.complete(0);
    this.#responseBytes += rest.length;
    this.#streams.answer.end(OK, rest);
    this.#tail = new CarriedTail(this.#call.place, this.#call.tailTimeoutMs, () => this.#streams.resetWorker());
    // The client's pace no longer matters: what follows is small.
    this.#streams.worker?.resume();
  }

  #takeTail(chunk: Buffer): void {
    if (chunk.length > 0) {
      this.#tail?.push(chunk);
    }
  }

  ended(trailers: IncomingHttpHeaders): void {
    const progress = this.#progress;
    const status = statusIn(trailers);
    if (progress.kind === 'decided') {
      const whole = status === 0 && trailers[CARRIED_TRAILER] === CARRIED_COMPLETE;
      this.#tail?.end(whole ? usageIn(trailers).rows : undefined);
    } else if (progress.kind !== 'held' || progress.bytes.length > 0 || status === undefined) {
      this.#streams.failIncomplete();
    } else if (!this.#call.client.closed) {
      // No message at all: the status says why.
      this.#streams.complete(status);
      this.#streams.answer.begin(responseHeadersForClient(progress.headers));
      this.#streams.answer.end(trailersForClient(trailers));
    }
  }

  sent(): Sent {
    return this.#progress.kind === 'flowing' ? 'part of a message' : 'nothing';
  }

  decided(): void {
    this.#progress = { kind: 'decided' };
  }

  workerClosed(): void {
    this.#tail?.end(undefined);
    this.#call.place.giveUp();
    this.#trailers.resolve(this.#streams.workerTrailers);
  }

  clientClosed(served: Served): DescribingOutcome {
    if (served.end !== 'completed') {
      this.#streams.resetWorker();
      this.#call.place.giveUp();
    }
    if (this.#streams.worker === undefined) {
      this.#trailers.resolve({});
    }
    return { ...served, trailers: this.#trailers.promise, responseBytes: this.#responseBytes };
  }
}

/** Where the first message ends; undefined while its length has not come. */
function endOfMessage(bytes: Buffer): number | undefined {
  return bytes.length < MESSAGE_PREFIX_BYTES ? undefined : MESSAGE_PREFIX_BYTES + bytes.readUInt32BE(1);
}
