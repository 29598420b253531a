import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { grpcStatusOf } from '@jetbridge/proto/status-grpc';
import type { Logger } from 'pino';
import type { CallTarget } from '../routing/call-target.ts';
import type { FlightMethod } from '../routing/flight-method.ts';
import type { CarriedResult } from '../statement/carried-results.ts';
import type { Usage } from '../statement/usage.ts';
import type { Metrics } from '../telemetry.ts';
import type { RelayOutcome } from '../tunnel/relay-interface.ts';
import type { Caller, ClientConnection } from './authenticate.ts';
import type { RequestHead } from './first-message.ts';

/** One call, with what is known of it before anything is decided. */
export interface Call {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly connection: ClientConnection;
  readonly startedAt: number;
}

/** One call whose caller and aim are known. */
export interface KnownCall extends Call {
  readonly method: FlightMethod;
  readonly caller: Caller;
  readonly head: RequestHead;
  readonly target: CallTarget;
}

export interface CallRecordsOptions {
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsed: () => number;
}

/** What is counted and logged of calls, once they have ended. */
export class CallRecords {
  readonly #options: CallRecordsOptions;

  constructor(options: CallRecordsOptions) {
    this.#options = options;
  }

  durationMs({ startedAt }: Call): number {
    return Math.round(this.#options.elapsed() - startedAt);
  }

  ended(method: string, status: number, { startedAt }: Call): void {
    this.#options.metrics.called(method, status, (this.#options.elapsed() - startedAt) / 1000);
  }

  relayed(
    call: KnownCall,
    ids: { readonly statementId: string | undefined; readonly workerId: string },
    outcome: Omit<RelayOutcome, 'trailers'>,
    usage: Usage,
    durationMs: number = this.durationMs(call),
  ): void {
    const { metrics, log } = this.#options;
    const { method, caller } = call;
    metrics.relayed(outcome, usage);
    log.info(
      {
        method: method.name,
        statementId: ids.statementId,
        workerId: ids.workerId,
        principalId: caller.principal.id,
        sessionId: caller.sessionId,
        end: outcome.end,
        status: outcome.status,
        rows: usage.rows,
        bytes: usage.bytes,
        engineMicros: usage.engineMicros,
        requestBytes: outcome.requestBytes,
        responseBytes: outcome.responseBytes,
        durationMs,
      },
      'call relayed',
    );
  }

  /** A DoGet that needed no worker. A client that left before the status was sent has not been served. */
  carried(call: KnownCall, { bytes, rows }: CarriedResult, answered: boolean): void {
    const { metrics, log } = this.#options;
    const { method, caller, target } = call;
    const status = answered ? 0 : grpcStatusOf('cancelled');
    this.ended(method.name, status, call);
    metrics.carried(rows, bytes.length);
    log.info(
      {
        method: method.name,
        workerId: target.workerId,
        principalId: caller.principal.id,
        sessionId: caller.sessionId,
        status,
        rows,
        bytes: bytes.length,
        durationMs: this.durationMs(call),
      },
      'call answered with a carried result',
    );
  }
}
