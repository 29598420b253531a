import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import * as flight from './flight.ts';
import { decodeBasicAuth, decodeHandshakeRequest } from './flight-handshake.ts';
import * as session from './flight-session.ts';
import { decodeCommand, encodeCommand, type FlightSqlCommand } from './flight-sql.ts';
import { decodeFlightSqlAction, encodeFlightSqlAction, FLIGHT_SQL_ACTION_TYPES } from './flight-sql-action.ts';
import * as result from './flight-sql-result.ts';
import { MessageBoundary, MessageSplitter } from './grpc-frame.ts';
import { openHandle, workerIdOfHandle } from './handle.ts';
import { newId } from './ids.ts';
import { StatusError } from './status-error.ts';
import { decodeHello, decodeHelloReply } from './tunnel.ts';

// Every run draws the same cases; change the seed to look elsewhere.
const SEED = 20_260_101;

/** mulberry32: uniform in [0, bound). */
function generator(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

const draw = generator(SEED);
const bytesOf = (size: number) => Buffer.from(Array.from({ length: size }, () => draw(256)));
const LETTERS = ['a', 'Z', '"', '%', '_', ' ', '\0', 'ü', '日', '🚀', '/', '.'];
const text = () => Array.from({ length: draw(20) }, () => LETTERS[draw(LETTERS.length)]).join('');
const maybe = <K extends string, V>(name: K, value: V) => (draw(2) === 0 ? ({} as Record<K, V>) : ({ [name]: value } as Record<K, V>));
const transaction = () => maybe('transactionId', bytesOf(1 + draw(20)));

const MAKERS: readonly (() => FlightSqlCommand)[] = [
  () => ({ kind: 'statement_query', query: text(), ...transaction() }),
  () => ({ kind: 'statement_update', query: text(), ...transaction() }),
  () => ({ kind: 'statement_substrait_plan', plan: bytesOf(draw(50)), version: text(), ...transaction() }),
  () => ({
    kind: 'statement_ingest',
    table: text(),
    ...maybe('schema', text()),
    ...maybe('catalog', text()),
    temporary: draw(2) === 1,
    ...transaction(),
    ifNotExist: (['unspecified', 'create', 'fail'] as const)[draw(3)] ?? 'fail',
    ifExists: (['unspecified', 'fail', 'append', 'replace'] as const)[draw(4)] ?? 'fail',
    options: new Map(Array.from({ length: draw(4) }, () => [text(), text()])),
  }),
  () => ({ kind: 'prepared_statement_query', handle: bytesOf(draw(100)) }),
  () => ({ kind: 'get_db_schemas', ...maybe('catalog', text()), ...maybe('dbSchemaFilterPattern', text()) }),
  () => ({
    kind: 'get_tables',
    ...maybe('catalog', text()),
    ...maybe('dbSchemaFilterPattern', text()),
    ...maybe('tableNameFilterPattern', text()),
    tableTypes: Array.from({ length: draw(4) }, text),
    includeSchema: draw(2) === 1,
  }),
  () => ({ kind: 'get_sql_info', info: Array.from({ length: draw(10) }, () => draw(2 ** 32)) }),
  () => ({ kind: 'get_xdbc_type_info', ...maybe('dataType', draw(200) - 100) }),
  () => ({ kind: 'get_primary_keys', ...maybe('catalog', text()), ...maybe('dbSchema', text()), table: text() }),
  () => ({ kind: 'ticket_statement_query', handle: bytesOf(draw(100)) }),
];

const commandOf = (round: number): FlightSqlCommand => (MAKERS[round % MAKERS.length] ?? (() => ({ kind: 'get_catalogs' })))();

t.test('any command survives the way over the wire', async (t) => {
  for (let round = 0; round < 3000; round += 1) {
    const command = commandOf(round);
    const decoded = decodeCommand(encodeCommand(command));
    if (!isDeepStrictEqual(decoded, command)) {
      t.strictSame(decoded, command, { seed: SEED, round });
      return;
    }
  }
  t.pass('3000 commands came back as they were');
});

/** Flips, cuts, repeats and inserts: most mutants still parse in part, which is where decoders break. */
function mutated(bytes: Buffer): Buffer {
  let mutant: Buffer = Buffer.from(bytes);
  for (let change = 1 + draw(4); change > 0; change -= 1) {
    const at = draw(mutant.length + 1);
    switch (draw(4)) {
      case 0:
        mutant = Buffer.concat([mutant.subarray(0, at), bytesOf(draw(8)), mutant.subarray(at)]);
        break;
      case 1:
        mutant = mutant.subarray(0, at);
        break;
      case 2:
        mutant = Buffer.concat([mutant.subarray(0, at), mutant.subarray(draw(mutant.length + 1))]);
        break;
      default:
        if (at < mutant.length) {
          mutant[at] = draw(256);
        }
    }
  }
  return mutant;
}

const key = bytesOf(32);
const workerId = newId('wkr', bytesOf);

const DECODERS: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
  decodeCommand,
  ...Object.fromEntries(FLIGHT_SQL_ACTION_TYPES.map((type) => [type, (body: Buffer) => decodeFlightSqlAction({ type, body })])),
  ...decodersOf(flight),
  ...decodersOf(session),
  ...decodersOf(result),
  decodeHandshakeRequest,
  decodeBasicAuth,
  decodeHello,
  decodeHelloReply,
  workerIdOfHandle,
  openHandle: (bytes) => openHandle(key, workerId, bytes),
  splitter: (bytes) => new MessageSplitter(1000).push(bytes),
  boundary: (bytes) => new MessageBoundary().push(bytes),
};

function decodersOf(module: object): Readonly<Record<string, (bytes: Buffer) => unknown>> {
  return Object.fromEntries(Object.entries(module).filter(([name]) => name.startsWith('decode')));
}

const ACCEPTABLE = new Set(['invalid_argument', 'unimplemented', 'resource_exhausted', 'not_found']);

t.test('whatever the bytes are, a decoder answers or throws a status that blames the caller', async (t) => {
  t.ok(Object.keys(DECODERS).length > 40);
  for (let round = 0; round < 1500; round += 1) {
    const seed =
      draw(2) === 0 ? encodeCommand(commandOf(round)) : encodeFlightSqlAction({ kind: 'create_prepared_statement', query: text() }).body;
    const bytes = draw(5) === 0 ? bytesOf(draw(64)) : mutated(seed);
    for (const [name, decode] of Object.entries(DECODERS)) {
      try {
        decode(bytes);
      } catch (error) {
        if (!(error instanceof StatusError && ACCEPTABLE.has(error.code))) {
          t.fail(`${name} threw ${error} for ${bytes.toString('hex')}`, { seed: SEED, round });
          return;
        }
      }
    }
  }
});
