import {
  type Action,
  decodeCancelFlightInfoRequest,
  decodeFlightInfo,
  decodeRenewFlightEndpointRequest,
  encodeCancelFlightInfoRequest,
  encodeFlightInfo,
  encodeRenewFlightEndpointRequest,
  type FlightEndpoint,
  type FlightInfo,
} from './flight.ts';
import { decodeSetSessionOptionsRequest, encodeSetSessionOptionsRequest, type SessionOptions } from './flight-session.ts';
import { decodeCommand, handleOfCommand, type InTransaction, inTransaction } from './flight-sql.ts';
import { FLIGHT_PACKAGE, FLIGHT_SQL_PACKAGE, flightSqlMessages, packAny, unpackAny } from './flight-sql-any.ts';
import { REQUEST_MAX_BYTES, STRUCTURE_MAX_BYTES } from './limits.ts';
import type { MessageCodec } from './message-codec.ts';
import { StatusError } from './status-error.ts';

/** What a DoAction of Flight SQL asks for. */
export type FlightSqlAction =
  | ({ readonly kind: 'create_prepared_statement'; readonly query: string } & InTransaction)
  | ({ readonly kind: 'create_prepared_substrait_plan'; readonly plan: Buffer; readonly version: string } & InTransaction)
  | { readonly kind: 'close_prepared_statement'; readonly handle: Buffer }
  | { readonly kind: 'begin_transaction' }
  | { readonly kind: 'end_transaction'; readonly transactionId: Buffer; readonly action: 'commit' | 'rollback' }
  | { readonly kind: 'begin_savepoint'; readonly transactionId: Buffer; readonly name: string }
  | { readonly kind: 'end_savepoint'; readonly savepointId: Buffer; readonly action: 'release' | 'rollback' }
  | { readonly kind: 'cancel_query'; readonly flightInfo: FlightInfo }
  | { readonly kind: 'cancel_flight_info'; readonly flightInfo: FlightInfo }
  | { readonly kind: 'renew_flight_endpoint'; readonly endpoint: FlightEndpoint }
  | { readonly kind: 'set_session_options'; readonly options: SessionOptions }
  | { readonly kind: 'get_session_options' }
  | { readonly kind: 'close_session' };

type Kind = FlightSqlAction['kind'];
type ActionOf<K extends Kind> = Extract<FlightSqlAction, { readonly kind: K }>;

interface ActionCodec {
  readonly kind: Kind;
  readonly type: string;
  readonly messageName: string;
  /** The specification wraps the bodies of Flight SQL's own actions in an `Any`, and not those of Flight's. */
  readonly wrapped: boolean;
  encodeBody(action: FlightSqlAction): Buffer;
  decodeBody(body: Buffer): FlightSqlAction;
}

function sqlAction<K extends Kind, Wire extends object>(
  kind: K,
  type: string,
  fromWire: (wire: Wire) => ActionOf<K>,
  toWire: (action: ActionOf<K>) => Wire,
  maxBytes: number = STRUCTURE_MAX_BYTES,
): ActionCodec {
  const messageName = `${FLIGHT_SQL_PACKAGE}Action${type}Request`;
  const codec: MessageCodec<Wire> = flightSqlMessages<Wire>(messageName, maxBytes);
  return {
    kind,
    type,
    messageName,
    wrapped: true,
    encodeBody: (action) => codec.encode(toWire(action as ActionOf<K>)),
    decodeBody: (body) => fromWire(codec.decode(body)),
  };
}

function flightAction<K extends Kind>(
  kind: K,
  type: string,
  decodeBody: (body: Buffer) => ActionOf<K>,
  encodeBody: (action: ActionOf<K>) => Buffer,
): ActionCodec {
  const messageName = `${FLIGHT_PACKAGE}${type}Request`;
  return { kind, type, messageName, wrapped: false, encodeBody: (action) => encodeBody(action as ActionOf<K>), decodeBody };
}

const EMPTY = Buffer.alloc(0);

interface WirePlan extends InTransaction {
  readonly plan: { readonly plan: Buffer; readonly version: string } | null;
}

const CODECS: readonly ActionCodec[] = [
  sqlAction<'create_prepared_statement', { readonly query: string } & InTransaction>(
    'create_prepared_statement',
    'CreatePreparedStatement',
    (wire) => ({ kind: 'create_prepared_statement', query: wire.query, ...inTransaction(wire) }),
    (action) => action,
    REQUEST_MAX_BYTES,
  ),
  sqlAction<'create_prepared_substrait_plan', WirePlan>(
    'create_prepared_substrait_plan',
    'CreatePreparedSubstraitPlan',
    (wire) => ({ kind: 'create_prepared_substrait_plan', ...(wire.plan ?? { plan: EMPTY, version: '' }), ...inTransaction(wire) }),
    ({ plan, version, transactionId }) => ({ plan: { plan, version }, transactionId }),
    REQUEST_MAX_BYTES,
  ),
  sqlAction<'close_prepared_statement', { readonly preparedStatementHandle: Buffer }>(
    'close_prepared_statement',
    'ClosePreparedStatement',
    (wire) => ({ kind: 'close_prepared_statement', handle: wire.preparedStatementHandle }),
    ({ handle }) => ({ preparedStatementHandle: handle }),
  ),
  sqlAction(
    'begin_transaction',
    'BeginTransaction',
    () => ({ kind: 'begin_transaction' }),
    () => ({}),
  ),
  sqlAction<'end_transaction', { readonly transactionId: Buffer; readonly action: string | number }>(
    'end_transaction',
    'EndTransaction',
    ({ transactionId, action }) => ({
      kind: 'end_transaction',
      transactionId,
      action: ending('END_TRANSACTION_', ['commit', 'rollback'], action),
    }),
    ({ transactionId, action }) => ({ transactionId, action: `END_TRANSACTION_${action.toUpperCase()}` }),
  ),
  sqlAction<'begin_savepoint', { readonly transactionId: Buffer; readonly name: string }>(
    'begin_savepoint',
    'BeginSavepoint',
    ({ transactionId, name }) => ({ kind: 'begin_savepoint', transactionId, name }),
    (action) => action,
  ),
  sqlAction<'end_savepoint', { readonly savepointId: Buffer; readonly action: string | number }>(
    'end_savepoint',
    'EndSavepoint',
    ({ savepointId, action }) => ({
      kind: 'end_savepoint',
      savepointId,
      action: ending('END_SAVEPOINT_', ['release', 'rollback'], action),
    }),
    ({ savepointId, action }) => ({ savepointId, action: `END_SAVEPOINT_${action.toUpperCase()}` }),
  ),
  sqlAction<'cancel_query', { readonly info: Buffer }>(
    'cancel_query',
    'CancelQuery',
    (wire) => ({ kind: 'cancel_query', flightInfo: decodeFlightInfo(wire.info) }),
    ({ flightInfo }) => ({ info: encodeFlightInfo(flightInfo) }),
  ),
  flightAction(
    'cancel_flight_info',
    'CancelFlightInfo',
    (body) => ({ kind: 'cancel_flight_info', flightInfo: decodeCancelFlightInfoRequest(body) }),
    ({ flightInfo }) => encodeCancelFlightInfoRequest(flightInfo),
  ),
  flightAction(
    'renew_flight_endpoint',
    'RenewFlightEndpoint',
    (body) => ({ kind: 'renew_flight_endpoint', endpoint: decodeRenewFlightEndpointRequest(body) }),
    ({ endpoint }) => encodeRenewFlightEndpointRequest(endpoint),
  ),
  flightAction(
    'set_session_options',
    'SetSessionOptions',
    (body) => ({ kind: 'set_session_options', options: decodeSetSessionOptionsRequest(body) }),
    ({ options }) => encodeSetSessionOptionsRequest(options),
  ),
  // These two messages have no fields: whatever a client sends in them is ignored.
  flightAction(
    'get_session_options',
    'GetSessionOptions',
    () => ({ kind: 'get_session_options' }),
    () => EMPTY,
  ),
  flightAction(
    'close_session',
    'CloseSession',
    () => ({ kind: 'close_session' }),
    () => EMPTY,
  ),
];

function ending<Name extends string>(prefix: string, known: readonly Name[], wire: string | number): Name {
  const found = known.find((name) => wire === prefix + name.toUpperCase());
  if (found === undefined) {
    throw new StatusError('invalid_argument', `the action of an end request must be one of: ${known.join(', ')}`);
  }
  return found;
}

const CODECS_BY_TYPE: ReadonlyMap<string, ActionCodec> = new Map(CODECS.map((codec) => [codec.type, codec]));
const CODECS_BY_KIND: ReadonlyMap<Kind, ActionCodec> = new Map(CODECS.map((codec) => [codec.kind, codec]));

/** The `type` of every action, for ListActions. */
export const FLIGHT_SQL_ACTION_TYPES: readonly string[] = CODECS.map((codec) => codec.type);

/** An unknown type is `unimplemented`, a body of another message `invalid_argument`. Bodies are accepted bare and inside an `Any`. */
export function decodeFlightSqlAction(action: Action): FlightSqlAction {
  const codec = CODECS_BY_TYPE.get(action.type);
  if (codec === undefined) {
    throw new StatusError('unimplemented', `the action ${JSON.stringify(action.type.slice(0, 200))} is not implemented`);
  }
  return codec.decodeBody(bareBody(codec, action.body));
}

function bareBody(codec: ActionCodec, body: Buffer): Buffer {
  const message = unpackedOrUndefined(body);
  // A bare body may look like an Any by its wire types; a type URL of Flight's in it cannot be SQL, a handle or an option.
  if (message === undefined || !message.name.startsWith(FLIGHT_PACKAGE)) {
    return body;
  }
  if (message.name !== codec.messageName) {
    throw new StatusError('invalid_argument', `the action ${codec.type} needs a ${codec.messageName}`);
  }
  return message.body;
}

function unpackedOrUndefined(body: Buffer): ReturnType<typeof unpackAny> {
  try {
    return unpackAny(body);
  } catch {
    return undefined;
  }
}

export function encodeFlightSqlAction(action: FlightSqlAction): Action {
  const codec = CODECS_BY_KIND.get(action.kind);
  if (codec === undefined) {
    throw new StatusError('internal', 'there is no codec for this action');
  }
  const body = codec.encodeBody(action);
  return { type: codec.type, body: codec.wrapped ? packAny({ name: codec.messageName, body }) : body };
}

/** The routed handle inside an action: of a prepared statement, of a transaction, or of the first ticket of a FlightInfo. */
export function handleOfAction(action: FlightSqlAction): Buffer | undefined {
  switch (action.kind) {
    case 'close_prepared_statement':
      return action.handle;
    case 'create_prepared_statement':
    case 'create_prepared_substrait_plan':
    case 'end_transaction':
    case 'begin_savepoint':
      return action.transactionId;
    case 'cancel_query':
    case 'cancel_flight_info':
      return handleOfEndpoint(action.flightInfo.endpoint[0]);
    case 'renew_flight_endpoint':
      return handleOfEndpoint(action.endpoint);
    default:
      return undefined;
  }
}

function handleOfEndpoint(endpoint: FlightEndpoint | undefined): Buffer | undefined {
  if (endpoint === undefined) {
    return undefined;
  }
  try {
    return handleOfCommand(decodeCommand(endpoint.ticket.ticket));
  } catch {
    return undefined;
  }
}
