import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import {
  GATEWAY_HEADER,
  PRINCIPAL_HEADER,
  PRINCIPAL_NAME_HEADER,
  ROLES_HEADER,
  SESSION_HEADER,
  STATEMENT_HEADER,
} from '@jetbridge/proto/headers';
import { newId } from '@jetbridge/proto/ids';
import { StatusError, toStatusError } from '@jetbridge/proto/status-error';
import { grpcStatusOf } from '@jetbridge/proto/status-grpc';
import type { Logger } from 'pino';
import type { CallerCache } from '../control/caller-cache.ts';
import type { Control } from '../control/interface.ts';
import type { FlightLimits, RelayLimits } from '../limits.ts';
import type { Presence } from '../presence/interface.ts';
import { type CallTarget, callTarget } from '../routing/call-target.ts';
import { type FlightMethod, flightMethodOf, HANDSHAKE_PATH } from '../routing/flight-method.ts';
import { claimWork } from '../statement/claim.ts';
import { openWork } from '../statement/open.ts';
import { usageIn } from '../statement/usage.ts';
import type { Metrics } from '../telemetry.ts';
import { timeoutMsOf } from '../tunnel/deadline.ts';
import { answerTrailersOnly } from '../tunnel/relay-answer.ts';
import { requestHeadersForWorker } from '../tunnel/relay-headers.ts';
import type { Relay } from '../tunnel/relay-interface.ts';
import type { ReadyTunnel, Tunnels } from '../tunnel/tunnels.ts';
import { authenticate, type Caller, type ClientConnection } from './authenticate.ts';
import { type RequestHead, readRequestHead, type WaitingBytes } from './first-message.ts';
import { handshake } from './handshake.ts';
import { refuse } from './status.ts';

export interface FlightServiceOptions {
  readonly gatewayId: string;
  readonly control: Pick<Control, 'openSession' | 'signOut'>;
  readonly callers: CallerCache;
  readonly tunnels: Tunnels;
  readonly presence: Pick<Presence, 'find'>;
  readonly relay: Relay;
  readonly waiting: WaitingBytes;
  readonly limits: FlightLimits;
  readonly relayLimits: RelayLimits;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsed: () => number;
}

/** One call, with what is known of it before anything is decided. */
interface Call {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly connection: ClientConnection;
  readonly startedAt: number;
}

/** The Flight service as clients see it: answers Handshake, and relays every other RPC to the worker it belongs to. */
export class FlightService {
  readonly #options: FlightServiceOptions;

  constructor(options: FlightServiceOptions) {
    this.#options = options;
  }

  serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: ClientConnection): void {
    const call: Call = { stream, headers, connection, startedAt: this.#options.elapsed() };
    stream.on('error', () => {
      // 'close' follows; whoever serves the stream listens to that.
    });
    if (headers[':method'] !== 'POST' || !headers['content-type']?.startsWith('application/grpc')) {
      // gRPC over HTTP/2: anything that does not speak gRPC gets an HTTP status it understands.
      answerTrailersOnly(stream, { ':status': 415 });
      return;
    }
    void this.#serve(call);
  }

  async #serve(call: Call): Promise<void> {
    const path = call.headers[':path'];
    const method = flightMethodOf(path);
    const name = path === HANDSHAKE_PATH ? 'Handshake' : (method?.name ?? 'unknown');
    try {
      if (path === HANDSHAKE_PATH) {
        await handshake(call.stream, call.headers, call.connection, this.#options);
        this.#count(name, 0, call);
      } else if (method === undefined) {
        throw new StatusError('unimplemented', 'this server speaks Arrow Flight (arrow.flight.protocol.FlightService) only');
      } else {
        await this.#relay(method, call);
      }
    } catch (thrown) {
      const { code } = refuse(call.stream, thrown, this.#options.log);
      this.#count(name, grpcStatusOf(code), call);
    }
  }

  async #relay(method: FlightMethod, call: Call): Promise<void> {
    const caller = await authenticate(call.headers, call.connection, this.#options.callers);
    const head = await this.#readHead(method, call.stream);
    try {
      const target = targetOf(method, head);
      try {
        const tunnel = await this.#tunnelFor(target, caller, call.headers).catch((thrown: unknown) => nothingLeftToClose(target, thrown));
        if (tunnel === undefined) {
          answerTrailersOnly(call.stream, { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '0' });
          this.#count(method.name, 0, call);
        } else {
          await this.#relayTo(tunnel, { method, call, caller, head });
        }
      } finally {
        this.#endSession(target, caller);
      }
    } finally {
      head.release();
    }
  }

  async #readHead(method: FlightMethod, stream: ServerHttp2Stream): Promise<RequestHead> {
    if (method.routedBy === 'nothing') {
      return { message: undefined, chunks: [], release: () => undefined };
    }
    const { limits, waiting } = this.#options;
    return readRequestHead(stream, { messageBytes: method.messageBytes, timeoutMs: limits.firstMessageTimeoutMs, waiting });
  }

  async #tunnelFor({ workerId }: CallTarget, { sessionId }: Caller, headers: IncomingHttpHeaders): Promise<ReadyTunnel> {
    const { tunnels, presence } = this.#options;
    return workerId === undefined
      ? openWork(tunnels, { sessionId, catalog: headerOf(headers, 'catalog') ?? headerOf(headers, 'database') })
      : claimWork(tunnels, presence, workerId);
  }

  async #relayTo(
    { tunnel, workerId }: ReadyTunnel,
    { method, call, caller, head }: { method: FlightMethod; call: Call; caller: Caller; head: RequestHead },
  ): Promise<void> {
    const { relay, relayLimits, elapsed, metrics, log } = this.#options;
    const statementId = method.mayStartStatement ? newId('stm') : undefined;
    const timeoutMs = timeoutMsOf(call.headers['grpc-timeout']);
    const outcome = await relay({
      client: call.stream,
      tunnel,
      headers: requestHeadersForWorker(call.headers, this.#spoken(caller, statementId)),
      received: head.chunks,
      receivedWritten: head.release,
      timeoutMs: timeoutMs === undefined ? undefined : Math.max(0, timeoutMs - (elapsed() - call.startedAt)),
      holdFirstMessage: !method.inTurns,
      limits: relayLimits,
    });
    const usage = usageIn(outcome.trailers);
    metrics.relayed(outcome, usage);
    this.#count(method.name, outcome.status, call);
    log.info(
      {
        method: method.name,
        statementId,
        workerId,
        principalId: caller.principal.id,
        sessionId: caller.sessionId,
        end: outcome.end,
        status: outcome.status,
        ...usage,
        requestBytes: outcome.requestBytes,
        responseBytes: outcome.responseBytes,
        durationMs: Math.round(elapsed() - call.startedAt),
      },
      'call relayed',
    );
  }

  #spoken({ principal, sessionId }: Caller, statementId: string | undefined): OutgoingHttpHeaders {
    return {
      [PRINCIPAL_HEADER]: principal.id,
      [PRINCIPAL_NAME_HEADER]: encodeURIComponent(principal.name),
      [ROLES_HEADER]: principal.roles.join(','),
      [SESSION_HEADER]: sessionId,
      [GATEWAY_HEADER]: this.#options.gatewayId,
      ...(statementId === undefined ? {} : { [STATEMENT_HEADER]: statementId }),
    };
  }

  // The session's own token ends with the session, whatever became of the worker. Other tokens and passwords live on.
  #endSession({ action }: CallTarget, { sessionToken }: Caller): void {
    if (action !== 'CloseSession' || sessionToken === undefined) {
      return;
    }
    const { callers, control, log } = this.#options;
    callers.forget(sessionToken);
    control.signOut(sessionToken).catch((thrown: unknown) => {
      log.warn({ reason: toStatusError(thrown).message }, 'session token not signed out');
    });
  }

  #count(method: string, status: number, { startedAt }: Call): void {
    this.#options.metrics.called(method, status, (this.#options.elapsed() - startedAt) / 1000);
  }
}

function targetOf(method: FlightMethod, { message }: RequestHead): CallTarget {
  if (method.routedBy === 'nothing') {
    return {};
  }
  if (message === undefined) {
    throw new StatusError('invalid_argument', `${method.name} needs a message and got none`);
  }
  return callTarget(method, message);
}

/** A prepared statement went with its worker: closing it succeeds, or its error would hide the one that told of the loss. */
function nothingLeftToClose({ action, workerId }: CallTarget, thrown: unknown): undefined {
  if (action === 'ClosePreparedStatement' && workerId !== undefined && thrown instanceof StatusError && thrown.code === 'unavailable') {
    return;
  }
  throw thrown;
}

function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
