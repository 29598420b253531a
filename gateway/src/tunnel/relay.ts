import type { IncomingHttpHeaders } from 'node:http2';
import { MessageBoundary } from '@jetbridge/proto/grpc-frame';
import type { Sent } from './client-answer.ts';
import { statusIn } from './relay-answer.ts';
import { responseHeadersForClient, trailersForClient } from './relay-headers.ts';
import type { Relay, RelayCall, RelayOutcome } from './relay-interface.ts';
import { type RelayedStreams, type ResponsePath, relayStreams, type Served } from './relayed-streams.ts';

/** The relay on node:http2. */
export const relay: Relay = (call) => {
  return relayStreams(call, (streams) => new RelayedCall(call, streams));
};

type Progress =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'held'; readonly headers: IncomingHttpHeaders; readonly chunks: Buffer[]; bytes: number }
  | { readonly kind: 'flowing' }
  | { readonly kind: 'decided' };

class RelayedCall implements ResponsePath<RelayOutcome> {
  readonly #call: RelayCall;
  readonly #streams: RelayedStreams<RelayOutcome>;
  readonly #boundary = new MessageBoundary();
  #progress: Progress = { kind: 'waiting' };
  #responseBytes = 0;

  constructor(call: RelayCall, streams: RelayedStreams<RelayOutcome>) {
    this.#call = call;
    this.#streams = streams;
  }

  headers(headers: IncomingHttpHeaders): void {
    this.#progress = { kind: 'held', headers, chunks: [], bytes: 0 };
    if (!this.#call.holdFirstMessage) {
      this.#release();
    }
  }

  bytes(chunk: Buffer): boolean {
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
    const { client } = this.#call;
    const progress = this.#progress;
    // A client that has just left is still to be heard of; it cannot be answered any more.
    if (progress.kind !== 'held' || client.closed) {
      return;
    }
    this.#progress = { kind: 'flowing' };
    this.#streams.answer.begin(responseHeadersForClient(progress.headers));
    client.cork();
    for (const chunk of progress.chunks) {
      client.write(chunk);
    }
    client.uncork();
    if (client.writableNeedDrain) {
      this.#streams.worker?.pause();
    }
  }

  ended(trailers: IncomingHttpHeaders): void {
    if (this.#progress.kind === 'decided') {
      return;
    }
    const status = statusIn(trailers);
    if (status === undefined || !this.#boundary.atBoundary) {
      this.#streams.failIncomplete();
      return;
    }
    this.#release();
    this.#streams.complete(status);
    this.#streams.answer.end(trailersForClient(trailers));
  }

  sent(): Sent {
    if (this.#progress.kind !== 'flowing') {
      return 'nothing';
    }
    return this.#boundary.atBoundary ? 'whole messages' : 'part of a message';
  }

  decided(): void {
    this.#progress = { kind: 'decided' };
    // After a complete answer to an unfinished request, the rest of it has no reader either.
    if (!this.#call.client.readableEnded) {
      this.#streams.resetWorker();
    }
  }

  workerClosed(): void {
    // The call is over with its client's stream, not with the worker's.
  }

  clientClosed(served: Served): RelayOutcome {
    // Whatever is left of the worker's side has nobody to serve.
    this.#streams.resetWorker();
    return { ...served, trailers: this.#streams.workerTrailers, responseBytes: this.#responseBytes };
  }
}
