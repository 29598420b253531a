import t from 'tap';
import { encodeCancelFlightInfoRequest, type FlightInfo } from './flight.ts';
import type { SessionOptionValue } from './flight-session.ts';
import { encodeCommand } from './flight-sql.ts';
import {
  decodeFlightSqlAction,
  encodeFlightSqlAction,
  FLIGHT_SQL_ACTION_TYPES,
  type FlightSqlAction,
  handleOfAction,
} from './flight-sql-action.ts';
import { packAny, unpackAny } from './flight-sql-any.ts';

const handle = Buffer.from('handle');
const transactionId = Buffer.from('tx');
const endpoint = {
  ticket: { ticket: encodeCommand({ kind: 'ticket_statement_query', handle }) },
  location: [],
  expirationTime: undefined,
  appMetadata: Buffer.alloc(0),
};
const flightInfo: FlightInfo = {
  schema: Buffer.alloc(0),
  flightDescriptor: undefined,
  endpoint: [endpoint],
  totalRecords: -1,
  totalBytes: -1,
  ordered: false,
  appMetadata: Buffer.alloc(0),
};

const actions: readonly FlightSqlAction[] = [
  { kind: 'create_prepared_statement', query: 'SELECT ?' },
  { kind: 'create_prepared_statement', query: 'SELECT ?', transactionId },
  { kind: 'create_prepared_substrait_plan', plan: Buffer.from('p'), version: 'v', transactionId },
  { kind: 'close_prepared_statement', handle },
  { kind: 'begin_transaction' },
  { kind: 'end_transaction', transactionId, action: 'commit' },
  { kind: 'end_transaction', transactionId, action: 'rollback' },
  { kind: 'begin_savepoint', transactionId, name: 's' },
  { kind: 'end_savepoint', savepointId: transactionId, action: 'release' },
  { kind: 'cancel_query', flightInfo },
  { kind: 'cancel_flight_info', flightInfo },
  { kind: 'renew_flight_endpoint', endpoint },
  { kind: 'set_session_options', options: new Map<string, SessionOptionValue>([['catalog', { kind: 'string', value: 'main' }]]) },
  { kind: 'get_session_options' },
  { kind: 'close_session' },
];

const FLIGHTS_OWN = new Set(['cancel_flight_info', 'renew_flight_endpoint', 'set_session_options', 'get_session_options', 'close_session']);

for (const action of actions) {
  t.test(`${action.kind} comes back as it was, bare and inside an Any`, async (t) => {
    const encoded = encodeFlightSqlAction(action);
    t.strictSame(decodeFlightSqlAction(encoded), action);
    const name = `arrow.flight.protocol.${FLIGHTS_OWN.has(action.kind) ? '' : 'sql.Action'}${encoded.type}Request`;
    const other = FLIGHTS_OWN.has(action.kind) ? packAny({ name, body: encoded.body }) : unpackAny(encoded.body)?.body;
    t.ok(other !== undefined);
    t.strictSame(decodeFlightSqlAction({ type: encoded.type, body: other ?? encoded.body }), action);
  });
}

t.test('there are 13 types of actions', async (t) => {
  t.same(new Set(FLIGHT_SQL_ACTION_TYPES), new Set(actions.map((action) => encodeFlightSqlAction(action).type)));
  t.equal(FLIGHT_SQL_ACTION_TYPES.length, 13);
});

t.test('an empty body is fine where the message is empty, and only there', async (t) => {
  const empty = (type: string) => decodeFlightSqlAction({ type, body: Buffer.alloc(0) });
  t.same(empty('CloseSession'), { kind: 'close_session' });
  t.same(empty('GetSessionOptions'), { kind: 'get_session_options' });
  t.same(empty('BeginTransaction'), { kind: 'begin_transaction' });
  t.same(empty('SetSessionOptions'), { kind: 'set_session_options', options: new Map() });
  for (const type of ['EndTransaction', 'EndSavepoint', 'CancelFlightInfo', 'RenewFlightEndpoint']) {
    t.throws(() => empty(type), { code: 'invalid_argument' }, type);
  }
});

t.test('an unknown type is unimplemented, a body of another message an invalid argument', async (t) => {
  for (const type of ['', 'DropEverything', 'closesession', '__proto__', 'x'.repeat(10_000)]) {
    t.throws(() => decodeFlightSqlAction({ type, body: Buffer.alloc(0) }), { code: 'unimplemented' });
  }
  const { body } = encodeFlightSqlAction({ kind: 'close_prepared_statement', handle });
  t.throws(() => decodeFlightSqlAction({ type: 'CreatePreparedStatement', body }), { code: 'invalid_argument' });
  t.throws(() => decodeFlightSqlAction({ type: 'ClosePreparedStatement', body: Buffer.from([0x0a, 9]) }), { code: 'invalid_argument' });
  t.throws(() => decodeFlightSqlAction({ type: 'CancelQuery', body: Buffer.from([0x0a, 1, 0xff]) }), { code: 'invalid_argument' });
});

t.test('a bare query may contain a slash', async (t) => {
  const body = Buffer.concat([Buffer.from([0x0a, 12]), Buffer.from('SELECT 10/20')]);
  t.same(decodeFlightSqlAction({ type: 'CreatePreparedStatement', body }), { kind: 'create_prepared_statement', query: 'SELECT 10/20' });
});

t.test('routed handles are found, also inside a FlightInfo', async (t) => {
  const routed = new Set(['close_prepared_statement', 'cancel_query', 'cancel_flight_info', 'renew_flight_endpoint']);
  for (const action of actions) {
    const transactionId = 'transactionId' in action ? action.transactionId : undefined;
    t.same(handleOfAction(action), routed.has(action.kind) ? handle : transactionId, action.kind);
  }
  t.equal(handleOfAction({ kind: 'cancel_query', flightInfo: { ...flightInfo, endpoint: [] } }), undefined);
  const foreign = { ...flightInfo, endpoint: [{ ticket: { ticket: Buffer.from('not ours') }, location: [] }] };
  const body = encodeCancelFlightInfoRequest(foreign);
  t.equal(handleOfAction(decodeFlightSqlAction({ type: 'CancelFlightInfo', body })), undefined);
});
