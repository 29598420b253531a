import { FLIGHT_SQL_PACKAGE, flightSqlMessages, packAny, unpackAny } from './flight-sql-any.ts';
import { REQUEST_MAX_BYTES, SQL_INFO_REQUEST_MAX_BYTES, STRUCTURE_MAX_BYTES } from './limits.ts';
import { StatusError } from './status-error.ts';

export interface InTransaction {
  /** Absent: the statement commits by itself. */
  readonly transactionId?: Buffer | undefined;
}

interface Prepared<K extends string> {
  readonly kind: K;
  readonly handle: Buffer;
}

interface OfTable<K extends string> {
  readonly kind: K;
  readonly catalog?: string | undefined;
  readonly dbSchema?: string | undefined;
  readonly table: string;
}

/** What a Flight descriptor or a ticket of Flight SQL holds. An absent filter matches everything; an empty one matches what has no name. */
export type FlightSqlCommand =
  | ({ readonly kind: 'statement_query'; readonly query: string } & InTransaction)
  | ({ readonly kind: 'statement_substrait_plan'; readonly plan: Buffer; readonly version: string } & InTransaction)
  | ({ readonly kind: 'statement_update'; readonly query: string } & InTransaction)
  | StatementIngest
  | Prepared<'prepared_statement_query'>
  | Prepared<'prepared_statement_update'>
  | { readonly kind: 'get_catalogs' }
  | { readonly kind: 'get_db_schemas'; readonly catalog?: string | undefined; readonly dbSchemaFilterPattern?: string | undefined }
  | GetTables
  | { readonly kind: 'get_table_types' }
  | { readonly kind: 'get_sql_info'; readonly info: readonly number[] }
  | { readonly kind: 'get_xdbc_type_info'; readonly dataType?: number | undefined }
  | OfTable<'get_primary_keys'>
  | OfTable<'get_exported_keys'>
  | OfTable<'get_imported_keys'>
  | GetCrossReference
  | { readonly kind: 'ticket_statement_query'; readonly handle: Buffer };

export interface StatementIngest extends InTransaction {
  readonly kind: 'statement_ingest';
  readonly table: string;
  readonly schema?: string | undefined;
  readonly catalog?: string | undefined;
  readonly temporary: boolean;
  readonly ifNotExist: 'unspecified' | 'create' | 'fail';
  readonly ifExists: 'unspecified' | 'fail' | 'append' | 'replace';
  readonly options: ReadonlyMap<string, string>;
}

export interface GetTables {
  readonly kind: 'get_tables';
  readonly catalog?: string | undefined;
  readonly dbSchemaFilterPattern?: string | undefined;
  readonly tableNameFilterPattern?: string | undefined;
  readonly tableTypes: readonly string[];
  readonly includeSchema: boolean;
}

export interface GetCrossReference {
  readonly kind: 'get_cross_reference';
  readonly pkCatalog?: string | undefined;
  readonly pkDbSchema?: string | undefined;
  readonly pkTable: string;
  readonly fkCatalog?: string | undefined;
  readonly fkDbSchema?: string | undefined;
  readonly fkTable: string;
}

type Kind = FlightSqlCommand['kind'];
type CommandOf<K extends Kind> = Extract<FlightSqlCommand, { readonly kind: K }>;
// The fields beside `kind`; distributes over unions of kinds.
type FieldsOf<K extends Kind> = CommandOf<K> extends infer C ? Omit<C, 'kind'> : never;

interface CommandCodec {
  readonly messageName: string;
  encode(command: FlightSqlCommand): Buffer;
  decode(body: Buffer): FlightSqlCommand;
}

/** A codec of one kind; the two functions translate between the command and its message where they differ. */
function command<K extends Kind, Wire extends object>(
  kind: K,
  message: string,
  fromWire: (wire: Wire) => FieldsOf<K>,
  toWire: (command: CommandOf<K>) => Wire,
  maxBytes: number = STRUCTURE_MAX_BYTES,
): readonly [Kind, CommandCodec] {
  const messageName = FLIGHT_SQL_PACKAGE + message;
  const codec = flightSqlMessages<Wire>(messageName, maxBytes);
  return [
    kind,
    {
      messageName,
      encode: (value) => codec.encode(toWire(value as CommandOf<K>)),
      decode: (body) => ({ ...fromWire(codec.decode(body)), kind }) as FlightSqlCommand,
    },
  ];
}

/** For messages whose fields are the command's. */
function plainCommand<K extends Kind>(kind: K, message: string, maxBytes?: number): readonly [Kind, CommandCodec] {
  return command<K, FieldsOf<K> & object>(
    kind,
    message,
    (wire) => wire,
    (value) => value as unknown as FieldsOf<K> & object,
    maxBytes,
  );
}

function statementCommand(kind: 'statement_query' | 'statement_update', message: string): readonly [Kind, CommandCodec] {
  return command<typeof kind, { readonly query: string } & InTransaction>(
    kind,
    message,
    ({ query, ...rest }) => ({ query, ...inTransaction(rest) }),
    (value) => value,
    REQUEST_MAX_BYTES,
  );
}

/** Some clients send an empty transaction id for "none". */
export function inTransaction({ transactionId }: InTransaction): InTransaction {
  return transactionId === undefined || transactionId.length === 0 ? {} : { transactionId };
}

function preparedCommand(kind: 'prepared_statement_query' | 'prepared_statement_update', message: string): readonly [Kind, CommandCodec] {
  return command<typeof kind, { readonly preparedStatementHandle: Buffer }>(
    kind,
    message,
    (wire) => ({ handle: wire.preparedStatementHandle }),
    ({ handle }) => ({ preparedStatementHandle: handle }),
  );
}

interface WireSubstrait extends InTransaction {
  readonly plan: { readonly plan: Buffer; readonly version: string } | null;
}

interface WireIngest extends Omit<StatementIngest, 'kind' | 'ifNotExist' | 'ifExists' | 'options'> {
  readonly tableDefinitionOptions: { readonly ifNotExist: string | number; readonly ifExists: string | number } | null;
  readonly options: Readonly<Record<string, string>>;
}

const IF_NOT_EXIST = ['unspecified', 'create', 'fail'] as const satisfies readonly StatementIngest['ifNotExist'][];
const IF_EXISTS = ['unspecified', 'fail', 'append', 'replace'] as const satisfies readonly StatementIngest['ifExists'][];
const IF_NOT_EXIST_PREFIX = 'TABLE_NOT_EXIST_OPTION_';
const IF_EXISTS_PREFIX = 'TABLE_EXISTS_OPTION_';

function ingestOfWire(wire: WireIngest): Omit<StatementIngest, 'kind'> {
  const { tableDefinitionOptions, options, transactionId, ...rest } = wire;
  const definition = tableDefinitionOptions ?? { ifNotExist: 0, ifExists: 0 };
  return {
    ...rest,
    ...inTransaction({ transactionId }),
    ifNotExist: choice(IF_NOT_EXIST, IF_NOT_EXIST_PREFIX, definition.ifNotExist),
    ifExists: choice(IF_EXISTS, IF_EXISTS_PREFIX, definition.ifExists),
    options: new Map(Object.entries(options)),
  };
}

function ingestToWire(ingest: StatementIngest): WireIngest {
  const { ifNotExist, ifExists, options, ...rest } = ingest;
  return {
    ...rest,
    tableDefinitionOptions: {
      ifNotExist: IF_NOT_EXIST_PREFIX + ifNotExist.toUpperCase(),
      ifExists: IF_EXISTS_PREFIX + ifExists.toUpperCase(),
    },
    options: Object.fromEntries(options),
  };
}

function choice<Name extends string>(known: readonly Name[], prefix: string, wire: string | number): Name {
  const found = known.find((name, number) => wire === number || wire === prefix + name.toUpperCase());
  if (found === undefined) {
    throw new StatusError('invalid_argument', `an ingest option has the unknown value ${wire}`);
  }
  return found;
}

const CODECS: ReadonlyMap<Kind, CommandCodec> = new Map([
  statementCommand('statement_query', 'CommandStatementQuery'),
  command<'statement_substrait_plan', WireSubstrait>(
    'statement_substrait_plan',
    'CommandStatementSubstraitPlan',
    (wire) => ({ ...(wire.plan ?? { plan: Buffer.alloc(0), version: '' }), ...inTransaction(wire) }),
    ({ plan, version, transactionId }) => ({ plan: { plan, version }, transactionId }),
    REQUEST_MAX_BYTES,
  ),
  statementCommand('statement_update', 'CommandStatementUpdate'),
  command<'statement_ingest', WireIngest>('statement_ingest', 'CommandStatementIngest', ingestOfWire, ingestToWire),
  preparedCommand('prepared_statement_query', 'CommandPreparedStatementQuery'),
  preparedCommand('prepared_statement_update', 'CommandPreparedStatementUpdate'),
  plainCommand('get_catalogs', 'CommandGetCatalogs'),
  plainCommand('get_db_schemas', 'CommandGetDbSchemas'),
  plainCommand('get_tables', 'CommandGetTables'),
  plainCommand('get_table_types', 'CommandGetTableTypes'),
  plainCommand('get_sql_info', 'CommandGetSqlInfo', SQL_INFO_REQUEST_MAX_BYTES),
  plainCommand('get_xdbc_type_info', 'CommandGetXdbcTypeInfo'),
  plainCommand('get_primary_keys', 'CommandGetPrimaryKeys'),
  plainCommand('get_exported_keys', 'CommandGetExportedKeys'),
  plainCommand('get_imported_keys', 'CommandGetImportedKeys'),
  plainCommand('get_cross_reference', 'CommandGetCrossReference'),
  command<'ticket_statement_query', { readonly statementHandle: Buffer }>(
    'ticket_statement_query',
    'TicketStatementQuery',
    (wire) => ({ handle: wire.statementHandle }),
    ({ handle }) => ({ statementHandle: handle }),
    REQUEST_MAX_BYTES,
  ),
]);

const CODECS_BY_MESSAGE: ReadonlyMap<string, CommandCodec> = new Map([...CODECS.values()].map((codec) => [codec.messageName, codec]));

/** The `Any` for a descriptor's `cmd` or for a ticket. */
export function encodeCommand(command: FlightSqlCommand): Buffer {
  const codec = CODECS.get(command.kind);
  if (codec === undefined) {
    throw new StatusError('internal', 'there is no codec for this command');
  }
  return packAny({ name: codec.messageName, body: codec.encode(command) });
}

/** Reads a descriptor's `cmd` or a ticket. Garbage is `invalid_argument`, a well-formed command we do not know `unimplemented`. */
export function decodeCommand(bytes: Uint8Array): FlightSqlCommand {
  const message = unpackAny(bytes);
  if (message === undefined) {
    throw new StatusError('invalid_argument', 'this is not a Flight SQL command: expected a google.protobuf.Any with a type URL');
  }
  const codec = CODECS_BY_MESSAGE.get(message.name);
  if (codec === undefined) {
    throw new StatusError('unimplemented', `the command ${JSON.stringify(message.name.slice(0, 200))} is not implemented`);
  }
  return codec.decode(message.body);
}

/** The routed handle inside a command, if there is one: its own, or that of the transaction it is to run in. */
export function handleOfCommand(command: FlightSqlCommand): Buffer | undefined {
  if ('handle' in command) {
    return command.handle;
  }
  return 'transactionId' in command ? command.transactionId : undefined;
}
