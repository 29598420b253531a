import type { ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { RelayLimits } from '../limits.ts';

/** What the relay needs of a tunnel. */
export interface RelayTunnel {
  /** True once the tunnel's connection is gone, for whatever reason. */
  readonly lost: boolean;
  /** Throws a StatusError when no stream can be opened. */
  openStream(headers: OutgoingHttpHeaders): ClientHttp2Stream;
}

/** A call for whose answer a worker is needed. */
export interface TunnelCall {
  readonly client: ServerHttp2Stream;
  readonly tunnel: RelayTunnel;
  /** As the worker shall see them. */
  readonly headers: OutgoingHttpHeaders;
  /** Request bytes that were read in order to route the call. */
  readonly received: readonly Buffer[];
  /** Called, perhaps more than once, when they are no longer held. */
  readonly receivedWritten: () => void;
  /** Time left of the client's own deadline. */
  readonly timeoutMs: number | undefined;
  readonly limits: RelayLimits;
}

export interface RelayCall extends TunnelCall {
  /** False where client and worker talk in turns, and neither headers nor a message may wait for what follows. */
  readonly holdFirstMessage: boolean;
}

export type RelayEnd = 'completed' | 'client_gone' | 'deadline' | 'worker_lost';

export interface RelayOutcome {
  readonly end: RelayEnd;
  /** The gRPC status the client was given, or would have been. */
  readonly status: number;
  /** The worker's trailers as it sent them, usage included. */
  readonly trailers: IncomingHttpHeaders;
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/**
 * Carries one call between a client's stream and a new stream in the tunnel, message bytes untouched, with backpressure both ways.
 * Resolves when the client's stream has closed; never rejects.
 *
 * - Either side going away resets the other at once.
 * - A response counts as complete only with the worker's status. Otherwise the client gets an error: a status before the first byte or
 *   between two messages, and a reset within a message, where a status would be read as its end.
 * - The first response message is held back until it is whole. A reset that reads as UNAVAILABLE also says "not processed" to grpc-go,
 *   which then repeats a call it has seen no message of, and a statement must never run twice.
 */
export type Relay = (call: RelayCall) => Promise<RelayOutcome>;
