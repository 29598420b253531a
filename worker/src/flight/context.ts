import { StatusError } from '@jetbridge/proto/status-error';
import type { HeadStarts } from '../query/head-starts.ts';
import type { PreparedStatement } from '../query/prepared.ts';
import type { Run } from '../query/run-context.ts';
import type { Session, SessionKey, Sessions } from '../query/sessions.ts';
import type { Statements } from '../query/statements.ts';
import { requireTransaction } from '../query/transaction.ts';
import type { Metrics } from '../telemetry.ts';
import { type Caller, callerOf } from './caller.ts';
import { honourLocationHeaders } from './location.ts';
import type { Call } from './server.ts';
import type { Tickets } from './tickets.ts';

/** What the Flight handlers work with. */
export interface FlightContext {
  readonly sessions: Sessions;
  readonly statements: Statements;
  readonly headStarts: HeadStarts;
  readonly tickets: Tickets;
  readonly metrics: Metrics;
}

/** Runs in the caller's session, which begins here if it has not yet. */
export function inCallersSession<T>(
  context: FlightContext,
  call: Call,
  run: Run,
  work: (session: Session, caller: Caller) => Promise<T>,
): Promise<T> {
  const caller = callerOf(call.headers);
  return context.sessions.use({ principalId: caller.principalId, sessionId: caller.sessionId }, async (session) => {
    await honourLocationHeaders(session, caller, run);
    return work(session, caller);
  });
}

/**
 * Runs in the caller's session, in the transaction that the call names if it names one: `not_found` when that is not of this session,
 * `failed_precondition` when it has ended.
 */
export function inCallersTransaction<T>(
  context: FlightContext,
  call: Call,
  transactionId: Buffer | undefined,
  run: Run,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  return inCallersSession(context, call, run, (session, caller) => {
    // Some clients send an empty id for none.
    if (transactionId !== undefined && transactionId.length > 0) {
      requireTransaction(session, transactionOf(context, session, caller, transactionId));
    }
    return work(session);
  });
}

/** The id inside a transaction's handle. */
export function transactionOf(context: FlightContext, { key }: Session, { principalId }: Caller, handle: Buffer): string {
  const sealed = context.tickets.openTransaction(handle, principalId);
  if (sealed.sessionId !== key.sessionId) {
    throw new StatusError('not_found', 'the transaction belongs to another session');
  }
  return sealed.id;
}

/** Runs in the session that a handle belongs to, which may be another one of the same principal. */
export function inHandlesSession<T>(context: FlightContext, key: SessionKey, work: (session: Session) => Promise<T>): Promise<T> {
  const { principalId, sessionId } = key;
  if (context.sessions.find({ principalId, sessionId }) === undefined) {
    throw new StatusError('not_found', 'the session of this handle is closed; run the statement again');
  }
  return context.sessions.use({ principalId, sessionId }, work);
}

/** Runs with a prepared statement, in its session. */
export function withPrepared<T>(
  context: FlightContext,
  call: Call,
  handle: Buffer,
  work: (session: Session, prepared: PreparedStatement) => Promise<T>,
): Promise<T> {
  const sealed = context.tickets.openPrepared(handle, callerOf(call.headers).principalId);
  return inHandlesSession(context, sealed, (session) => {
    const prepared = session.prepared.get(sealed.id);
    if (prepared === undefined) {
      throw new StatusError('not_found', 'the prepared statement is closed, or was not used for too long; prepare it again');
    }
    return work(session, prepared);
  });
}
