import { decodeAction, encodeActionType, encodeCancelFlightInfoResult, encodeResult, type FlightInfo } from '@jetbridge/proto/flight';
import { encodeCloseSessionResult, encodeGetSessionOptionsResult, encodeSetSessionOptionsResult } from '@jetbridge/proto/flight-session';
import { decodeFlightSqlAction, type FlightSqlAction, handleOfAction } from '@jetbridge/proto/flight-sql-action';
import { encodeCancelQueryResult, encodePreparedStatementResult } from '@jetbridge/proto/flight-sql-result';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { StatusError } from '@jetbridge/proto/status-error';
import { Schema } from 'apache-arrow';
import { schemaMessage } from '../arrow/schema-message.ts';
import type { Run } from '../query/run-context.ts';
import { callerOf } from './caller.ts';
import { type FlightContext, inCallersSession, inCallersTransaction } from './context.ts';
import { tallied } from './outcome.ts';
import type { Call } from './server.ts';
import { getSessionOptions, setSessionOptions } from './session-options.ts';
import { begin, end } from './transaction-actions.ts';

const SERVED: ReadonlyMap<string, string> = new Map([
  ['CreatePreparedStatement', 'Checks a statement and gives it a handle. Any(ActionCreatePreparedStatementRequest).'],
  ['ClosePreparedStatement', 'Frees a prepared statement. Any(ActionClosePreparedStatementRequest).'],
  ['BeginTransaction', "Begins the session's transaction. Any(ActionBeginTransactionRequest)."],
  ['EndTransaction', 'Commits it or rolls it back. Any(ActionEndTransactionRequest).'],
  ['CancelQuery', 'Stops the statement of a FlightInfo. Any(ActionCancelQueryRequest).'],
  ['CancelFlightInfo', 'Stops the statement of a FlightInfo. CancelFlightInfoRequest.'],
  ['SetSessionOptions', 'Sets catalog and schema of the session. SetSessionOptionsRequest.'],
  ['GetSessionOptions', 'Answers catalog and schema of the session. GetSessionOptionsRequest.'],
  ['CloseSession', 'Ends the session and everything in it. CloseSessionRequest.'],
]);

export async function listActions(_context: FlightContext, call: Call): Promise<void> {
  for (const [type, description] of SERVED) {
    await call.out.send(frameMessage(encodeActionType({ type, description })));
  }
}

/** DoAction: each action answers one result or none. */
export async function doAction(context: FlightContext, call: Call): Promise<void> {
  const action = decodeFlightSqlAction(decodeAction(await call.message()));
  await tallied(call, context.metrics, 'step', async ({ run }) => {
    const body = await perform(context, call, action, run);
    if (body !== undefined) {
      await call.out.send(frameMessage(encodeResult({ body })));
    }
  });
}

function perform(context: FlightContext, call: Call, action: FlightSqlAction, run: Run): Promise<Buffer | undefined> {
  switch (action.kind) {
    case 'create_prepared_statement':
      return createPreparedStatement(context, call, action, run);
    case 'close_prepared_statement':
      return Promise.resolve(closePreparedStatement(context, call, action.handle));
    case 'cancel_query':
      return Promise.resolve(encodeCancelQueryResult(cancel(context, call, action)));
    case 'cancel_flight_info':
      return Promise.resolve(encodeCancelFlightInfoResult(cancel(context, call, action)));
    case 'set_session_options':
      return inCallersSession(context, call, run, async (session) =>
        encodeSetSessionOptionsResult(await setSessionOptions(session, action.options, run)),
      );
    case 'get_session_options':
      return inCallersSession(context, call, run, async (session) => encodeGetSessionOptionsResult(getSessionOptions(session)));
    case 'close_session':
      return Promise.resolve(closeSession(context, call));
    case 'begin_transaction':
      return begin(context, call, run);
    case 'end_transaction':
      return end(context, call, action, run);
    case 'begin_savepoint':
    case 'end_savepoint':
      throw new StatusError('unimplemented', 'DuckDB has no savepoints');
    case 'create_prepared_substrait_plan':
      throw new StatusError('unimplemented', 'Substrait plans are not supported; send SQL');
    case 'renew_flight_endpoint':
      throw new StatusError('unimplemented', 'endpoints cannot be renewed; run the statement again when its ticket has expired');
  }
}

const NO_FIELDS = schemaMessage(new Schema([]));

type CreatePreparedStatement = Extract<FlightSqlAction, { readonly kind: 'create_prepared_statement' }>;

function createPreparedStatement(
  context: FlightContext,
  call: Call,
  { query, transactionId }: CreatePreparedStatement,
  run: Run,
): Promise<Buffer> {
  return inCallersTransaction(context, call, transactionId, run, async (session) => {
    const prepared = await context.statements.prepare(session, query, run);
    session.prepared.add(prepared);
    return encodePreparedStatementResult({
      handle: context.tickets.seal({ kind: 'prepared', ...session.key, id: prepared.id }),
      datasetSchema: prepared.kind === 'effect' ? NO_FIELDS : schemaMessage(prepared.schema),
      parameterSchema: prepared.parameters.length === 0 ? NO_FIELDS : schemaMessage(new Schema([...prepared.parameters])),
      isUpdate: prepared.kind === 'effect',
    });
  });
}

// Closing what is gone already succeeds. A client that lost its worker closes next, and an error then would hide the one that tells why.
function closePreparedStatement(context: FlightContext, call: Call, handle: Buffer): undefined {
  const sealed = unlessGone(() => context.tickets.openPrepared(handle, callerOf(call.headers).principalId));
  if (sealed === undefined) {
    return;
  }
  context.sessions.find({ principalId: sealed.principalId, sessionId: sealed.sessionId })?.prepared.close(sealed.id);
}

function unlessGone<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (thrown) {
    if (thrown instanceof StatusError && thrown.code === 'not_found') {
      return undefined;
    }
    throw thrown;
  }
}

function cancel(
  context: FlightContext,
  call: Call,
  action: FlightSqlAction & { readonly flightInfo: FlightInfo },
): 'cancelled' | 'not_cancellable' {
  const handle = handleOfAction(action);
  if (handle === undefined) {
    throw new StatusError('invalid_argument', 'the FlightInfo to cancel holds no ticket of this server');
  }
  const sealed = context.tickets.open(handle, callerOf(call.headers).principalId);
  if (sealed.kind !== 'opened') {
    return 'not_cancellable';
  }
  const session = context.sessions.find({ principalId: sealed.principalId, sessionId: sealed.sessionId });
  const opened = session?.opened.get(sealed.id);
  if (session === undefined || opened === undefined || opened.kind === 'result') {
    return 'not_cancellable';
  }
  const reason = new StatusError('cancelled', 'the statement was cancelled');
  context.headStarts.take(opened.id)?.stop(reason);
  for (const reader of opened.readers) {
    reader.abort(reason);
  }
  session.opened.drop(opened.id);
  return 'cancelled';
}

// Idempotent: a session that was never opened here, or is closed already, is closed.
function closeSession(context: FlightContext, call: Call): Buffer {
  const { principalId, sessionId } = callerOf(call.headers);
  context.sessions.close({ principalId, sessionId });
  return encodeCloseSessionResult('closed');
}
