import t from 'tap';
import { decodeCommand, encodeCommand, type FlightSqlCommand, handleOfCommand } from './flight-sql.ts';
import { packAny } from './flight-sql-any.ts';

const handle = Buffer.from('handle');
const transactionId = Buffer.from('tx');

const commands: readonly FlightSqlCommand[] = [
  { kind: 'statement_query', query: 'SELECT 1' },
  { kind: 'statement_query', query: 'SELECT ü', transactionId },
  { kind: 'statement_substrait_plan', plan: Buffer.from('plan'), version: '0.50', transactionId },
  { kind: 'statement_update', query: 'DELETE FROM a', transactionId },
  {
    kind: 'statement_ingest',
    table: 'a',
    schema: 's',
    catalog: '',
    temporary: true,
    transactionId,
    ifNotExist: 'create',
    ifExists: 'replace',
    options: new Map([['k', 'v']]),
  },
  { kind: 'statement_ingest', table: '', temporary: false, ifNotExist: 'unspecified', ifExists: 'unspecified', options: new Map() },
  { kind: 'prepared_statement_query', handle },
  { kind: 'prepared_statement_update', handle },
  { kind: 'get_catalogs' },
  { kind: 'get_db_schemas' },
  { kind: 'get_db_schemas', catalog: '', dbSchemaFilterPattern: '%' },
  { kind: 'get_tables', tableTypes: [], includeSchema: false },
  {
    kind: 'get_tables',
    catalog: 'c',
    dbSchemaFilterPattern: 's',
    tableNameFilterPattern: 't_',
    tableTypes: ['TABLE', 'VIEW'],
    includeSchema: true,
  },
  { kind: 'get_table_types' },
  { kind: 'get_sql_info', info: [] },
  { kind: 'get_sql_info', info: [0, 8, 576, 4_294_967_295] },
  { kind: 'get_xdbc_type_info' },
  { kind: 'get_xdbc_type_info', dataType: -9 },
  { kind: 'get_primary_keys', table: 't' },
  { kind: 'get_exported_keys', catalog: 'c', dbSchema: 's', table: 't' },
  { kind: 'get_imported_keys', dbSchema: '', table: 't' },
  { kind: 'get_cross_reference', pkTable: 'a', fkTable: 'b' },
  { kind: 'get_cross_reference', pkCatalog: '1', pkDbSchema: '2', pkTable: '3', fkCatalog: '4', fkDbSchema: '5', fkTable: '6' },
  { kind: 'ticket_statement_query', handle },
];

for (const command of commands) {
  t.test(`${command.kind} comes back as it was`, async (t) => {
    t.strictSame(decodeCommand(encodeCommand(command)), command);
  });
}

t.test('a command is an Any with the specified type URL and field numbers', async (t) => {
  const typeUrl = 'type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery';
  const value = Buffer.concat([Buffer.from([0x0a, 8]), Buffer.from('SELECT 1'), Buffer.from([0x12, 2]), transactionId]);
  const any = Buffer.concat([Buffer.from([0x0a, typeUrl.length]), Buffer.from(typeUrl), Buffer.from([0x12, value.length]), value]);
  t.same(encodeCommand({ kind: 'statement_query', query: 'SELECT 1', transactionId }), any);
  t.same(decodeCommand(any), { kind: 'statement_query', query: 'SELECT 1', transactionId });
});

t.test('an empty transaction id is none', async (t) => {
  const command = { kind: 'statement_query', query: 'q', transactionId: Buffer.alloc(0) } as const;
  t.strictSame(decodeCommand(encodeCommand(command)), { kind: 'statement_query', query: 'q' });
});

t.test('a message of its own is unimplemented; what is no message is an invalid argument', async (t) => {
  const any = (name: string, body: Buffer) => packAny({ name, body });
  for (const name of ['arrow.flight.protocol.sql.CommandOfTheFuture', 'google.protobuf.Timestamp', '__proto__', 'constructor']) {
    t.throws(() => decodeCommand(any(name, Buffer.alloc(0))), { code: 'unimplemented' }, name);
  }
  t.throws(() => decodeCommand(any('', Buffer.alloc(0))), { code: 'invalid_argument' });
  const notAnAny = [
    Buffer.alloc(0),
    Buffer.from('SELECT 1'),
    Buffer.alloc(100, 0xff),
    Buffer.from([0x12, 1, 1]),
    Buffer.from([0x0a, 1, 0x61]),
  ];
  for (const bytes of notAnAny) {
    t.throws(() => decodeCommand(bytes), { code: 'invalid_argument' }, bytes.toString('hex'));
  }
  const prefix = 'arrow.flight.protocol.sql.';
  t.throws(() => decodeCommand(any(`${prefix}CommandStatementQuery`, Buffer.from([0x0a, 9]))), { code: 'invalid_argument' });
  const ingest = Buffer.from([0x0a, 2, 0x10, 99]);
  t.throws(() => decodeCommand(any(`${prefix}CommandStatementIngest`, ingest)), { code: 'invalid_argument' });
});

t.test('sizes are bounded', async (t) => {
  t.throws(() => decodeCommand(encodeCommand({ kind: 'statement_query', query: 'x'.repeat(17 * 1024 * 1024) })), {
    code: 'resource_exhausted',
  });
  const codes = Array.from({ length: 20_000 }, () => 1);
  t.throws(() => decodeCommand(encodeCommand({ kind: 'get_sql_info', info: codes })), { code: 'resource_exhausted' });
  const query = 'x'.repeat(8 * 1024 * 1024);
  t.equal((decodeCommand(encodeCommand({ kind: 'statement_query', query })) as { query: string }).query, query);
});

t.test('routed handles are found', async (t) => {
  for (const command of commands) {
    const routed = ['prepared_statement_query', 'prepared_statement_update', 'ticket_statement_query'].includes(command.kind);
    const transactionId = 'transactionId' in command ? command.transactionId : undefined;
    t.equal(handleOfCommand(command), routed ? handle : transactionId, command.kind);
  }
});
