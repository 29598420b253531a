import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import {
  CARRY_HEADER,
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
import type { CarryLimits, FlightLimits, RelayLimits } from '../limits.ts';
import type { Presence } from '../presence/interface.ts';
import { type CallTarget, callTarget } from '../routing/call-target.ts';
import { type FlightMethod, flightMethodOf, HANDSHAKE_PATH } from '../routing/flight-method.ts';
import { answerCarried, arrived } from '../statement/carried-answer.ts';
import type { CarriedPlace, CarriedResults, ResultOwner } from '../statement/carried-results.ts';
import { claimWork } from '../statement/claim.ts';
import { describingCall } from '../statement/describing-call.ts';
import type { ForwardedCloses } from '../statement/forwarded-closes.ts';
import { openWork } from '../statement/open.ts';
import { usageIn } from '../statement/usage.ts';
import type { Metrics } from '../telemetry.ts';
import { answerWithoutMessage } from '../tunnel/client-answer.ts';
import { timeoutMsOf } from '../tunnel/deadline.ts';
import { answerTrailersOnly } from '../tunnel/relay-answer.ts';
import { requestHeadersForWorker } from '../tunnel/relay-headers.ts';
import type { Relay, RelayCall } from '../tunnel/relay-interface.ts';
import type { ReadyTunnel, Tunnels } from '../tunnel/tunnels.ts';
import { authenticate, type Caller, type ClientConnection } from './authenticate.ts';
import { type Call, CallRecords, type KnownCall } from './call-records.ts';
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
  readonly carried: CarriedResults;
  readonly closes: ForwardedCloses;
  readonly waiting: WaitingBytes;
  readonly limits: FlightLimits;
  readonly relayLimits: RelayLimits;
  readonly carryLimits: CarryLimits;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsed: () => number;
}

/** The Flight service as clients see it: answers Handshake, and relays every other RPC to the worker it belongs to. */
export class FlightService {
  readonly #options: FlightServiceOptions;
  readonly #records: CallRecords;

  constructor(options: FlightServiceOptions) {
    this.#options = options;
    this.#records = new CallRecords(options);
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
        this.#records.ended(name, 0, call);
      } else if (method === undefined) {
        throw new StatusError('unimplemented', 'this server speaks Arrow Flight (arrow.flight.protocol.FlightService) only');
      } else {
        await this.#answer(method, call);
      }
    } catch (thrown) {
      const { code } = refuse(call.stream, thrown, this.#options.log);
      this.#records.ended(name, grpcStatusOf(code), call);
    }
  }

  async #answer(method: FlightMethod, call: Call): Promise<void> {
    const caller = await authenticate(call.headers, call.connection, this.#options.callers);
    const head = await this.#readHead(method, call.stream);
    try {
      const known: KnownCall = { ...call, method, caller, head, target: targetOf(method, head) };
      this.#forgetCancelled(known);
      try {
        if (!(await this.#answeredFromCarried(known))) {
          await this.#answerThroughTunnel(known);
        }
      } finally {
        this.#endSession(known);
      }
    } finally {
      head.release();
    }
  }

  /** A DoGet whose result came with its FlightInfo needs no worker. */
  async #answeredFromCarried(call: KnownCall): Promise<boolean> {
    const { method, target, stream } = call;
    const claimed =
      method.name === 'DoGet' && target.handle !== undefined ? this.#options.carried.claim(target.handle, ownerOf(call)) : undefined;
    const result =
      claimed instanceof Promise
        ? await arrived(claimed, stream, this.#timeLeftMs(call, this.#options.relayLimits.deadlineGraceMs))
        : claimed;
    if (result === undefined) {
      return false;
    }
    call.head.release();
    const answered = await answerCarried(stream, result);
    this.#records.carried(call, result, answered);
    return true;
  }

  async #answerThroughTunnel(call: KnownCall): Promise<void> {
    const { target, caller, headers, method, stream } = call;
    const ready = await this.#tunnelFor(target, caller, headers).catch((thrown: unknown) => nothingLeftToClose(target, thrown));
    if (ready === undefined || this.#forwardedClose(ready, call)) {
      answerWithoutMessage(stream);
      this.#records.ended(method.name, 0, call);
      return;
    }
    const place = method.name === 'GetFlightInfo' ? this.#options.carried.reserve(ownerOf(call)) : undefined;
    await (place === undefined ? this.#relayTo(ready, call) : this.#describeThrough(ready, place, call));
  }

  /** A close of what names a worker cannot fail in a way that a client could do anything about: nobody waits for it. */
  #forwardedClose({ tunnel }: ReadyTunnel, { target, head, headers, caller, stream }: KnownCall): boolean {
    return (
      target.action === 'ClosePreparedStatement' &&
      target.workerId !== undefined &&
      head.message !== undefined &&
      !stream.closed &&
      this.#options.closes.forward(tunnel, requestHeadersForWorker(headers, this.#spoken(caller, {})), head.message)
    );
  }

  async #readHead(method: FlightMethod, stream: ServerHttp2Stream): Promise<RequestHead> {
    if (method.routedBy === 'nothing') {
      return { message: undefined, chunks: [], release: () => undefined };
    }
    const { limits, waiting } = this.#options;
    return readRequestHead(stream, {
      messageBytes: method.messageBytes,
      timeoutMs: limits.firstMessageTimeoutMs,
      alone: !method.inTurns,
      waiting,
    });
  }

  async #tunnelFor({ workerId }: CallTarget, { sessionId }: Caller, headers: IncomingHttpHeaders): Promise<ReadyTunnel> {
    const { tunnels, presence } = this.#options;
    return workerId === undefined
      ? openWork(tunnels, { sessionId, catalog: headerOf(headers, 'catalog') ?? headerOf(headers, 'database') })
      : claimWork(tunnels, presence, workerId);
  }

  async #relayTo({ tunnel, workerId }: ReadyTunnel, call: KnownCall): Promise<void> {
    const { relay } = this.#options;
    const statementId = call.method.mayStartStatement ? newId('stm') : undefined;
    const outcome = await relay({
      ...this.#relayCall(call, tunnel, statementId === undefined ? {} : { [STATEMENT_HEADER]: statementId }),
      holdFirstMessage: !call.method.inTurns,
    });
    this.#records.ended(call.method.name, outcome.status, call);
    this.#records.relayed(call, { statementId, workerId }, outcome, usageIn(outcome.trailers));
  }

  async #describeThrough({ tunnel, workerId }: ReadyTunnel, place: CarriedPlace, call: KnownCall): Promise<void> {
    const { carryLimits } = this.#options;
    const statementId = newId('stm');
    const outcome = await describingCall({
      ...this.#relayCall(call, tunnel, { [STATEMENT_HEADER]: statementId, [CARRY_HEADER]: String(place.mostBytes) }),
      workerId,
      place,
      tailTimeoutMs: carryLimits.tailTimeoutMs,
    });
    const durationMs = this.#records.durationMs(call);
    this.#records.ended(call.method.name, outcome.status, call);
    // The engine's time is this call's; rows count when somebody gets them.
    const { engineMicros } = usageIn(await outcome.trailers);
    this.#records.relayed(call, { statementId, workerId }, outcome, { rows: 0, bytes: 0, engineMicros }, durationMs);
  }

  #relayCall(call: KnownCall, tunnel: ReadyTunnel['tunnel'], spoken: OutgoingHttpHeaders): Omit<RelayCall, 'holdFirstMessage'> {
    return {
      client: call.stream,
      tunnel,
      headers: requestHeadersForWorker(call.headers, this.#spoken(call.caller, spoken)),
      received: call.head.chunks,
      receivedWritten: call.head.release,
      timeoutMs: this.#timeLeftMs(call, 0),
      limits: this.#options.relayLimits,
    };
  }

  /** What is left of the client's own deadline; undefined when it set none. */
  #timeLeftMs({ headers, startedAt }: Call, graceMs: number): number | undefined {
    const timeoutMs = timeoutMsOf(headers['grpc-timeout']);
    return timeoutMs === undefined ? undefined : Math.max(0, timeoutMs + graceMs - (this.#options.elapsed() - startedAt));
  }

  #spoken({ principal, sessionId }: Caller, more: OutgoingHttpHeaders): OutgoingHttpHeaders {
    return {
      [PRINCIPAL_HEADER]: principal.id,
      [PRINCIPAL_NAME_HEADER]: encodeURIComponent(principal.name),
      [ROLES_HEADER]: principal.roles.join(','),
      [SESSION_HEADER]: sessionId,
      [GATEWAY_HEADER]: this.#options.gatewayId,
      ...more,
    };
  }

  // Whatever its worker says: nobody is given the result of a cancelled statement.
  #forgetCancelled({ target: { action, handle }, caller }: KnownCall): void {
    if (handle !== undefined && (action === 'CancelFlightInfo' || action === 'CancelQuery')) {
      this.#options.carried.forget(handle, caller.principal.id);
    }
  }

  // The session's own token ends with the session, whatever became of the worker. Other tokens and passwords live on.
  #endSession(call: KnownCall): void {
    if (call.target.action !== 'CloseSession') {
      return;
    }
    this.#options.carried.forgetSession(ownerOf(call));
    const { sessionToken } = call.caller;
    if (sessionToken === undefined) {
      return;
    }
    const { callers, control, log } = this.#options;
    callers.forget(sessionToken);
    control.signOut(sessionToken).catch((thrown: unknown) => {
      log.warn({ reason: toStatusError(thrown).message }, 'session token not signed out');
    });
  }
}

function ownerOf({ caller }: KnownCall): ResultOwner {
  return { principalId: caller.principal.id, sessionId: caller.sessionId };
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
