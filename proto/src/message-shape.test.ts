import t from 'tap';
import { decodeFlightDescriptor, decodeFlightInfo, decodeTicket, encodeFlightInfo } from './flight.ts';
import { decodeGetSessionOptionsResult, encodeGetSessionOptionsResult } from './flight-session.ts';
import { decodeCommand, encodeCommand } from './flight-sql.ts';
import { packAny } from './flight-sql-any.ts';

const command = (message: string, body: readonly number[]) =>
  decodeCommand(packAny({ name: `arrow.flight.protocol.sql.${message}`, body: Buffer.from(body) }));

t.test('a message cut anywhere but between its fields is refused', async (t) => {
  const encoded = encodeCommand({ kind: 'statement_update', query: 'DELETE FROM t WHERE id = 7' });
  const typeUrlEnd = encoded.indexOf('Update') + 'Update'.length;
  t.match(decodeCommand(encoded.subarray(0, typeUrlEnd)), { query: '' });
  for (const length of [...encoded.keys()].filter((at) => at !== typeUrlEnd)) {
    t.throws(() => decodeCommand(encoded.subarray(0, length)), { code: 'invalid_argument' }, `${length} bytes`);
  }
});

t.test('a nested message cannot run past its parent', async (t) => {
  const path = [0x08, 1, 0x1a, 5, 0x61];
  t.throws(() => decodeFlightInfo(Buffer.from([0x12, path.length, ...path, 0x61, 0x61, 0x61, 0x61])), { code: 'invalid_argument' });
});

t.test('wire types, groups, field 0 and endless numbers', async (t) => {
  const refused = [
    [0x0a, 2, 0x61],
    [0x08, 1],
    [0x0b, 0x0c],
    [0x0f],
    [0x02, 0],
    [0x80],
    [0x38, ...Array(11).fill(0x80), 1],
    [0x3d, 1, 2],
    [0x39, 1],
  ];
  for (const body of refused) {
    t.throws(() => command('CommandStatementQuery', body), { code: 'invalid_argument' }, Buffer.from(body).toString('hex'));
  }
  t.throws(() => decodeTicket(Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1])), { code: 'invalid_argument' });
});

t.test('SQL that is not UTF-8 is refused, not repaired', async (t) => {
  t.throws(() => command('CommandStatementQuery', [0x0a, 1, 0xff]), { code: 'invalid_argument' });
  t.throws(() => command('CommandStatementQuery', [0x0a, 2, 0xc0, 0xaf]), { code: 'invalid_argument' });
  t.same(command('CommandStatementQuery', [0x0a, 2, 0xc3, 0xbc]), { kind: 'statement_query', query: 'ü' });
});

t.test('unknown fields of any kind are skipped', async (t) => {
  const unknown = [0x38, 0x96, 1, 0x39, 1, 2, 3, 4, 5, 6, 7, 8, 0x3a, 2, 0xff, 0xff, 0x3d, 1, 2, 3, 4];
  t.same(command('CommandStatementQuery', [...unknown, 0x0a, 1, 0x61, ...unknown]), { kind: 'statement_query', query: 'a' });
});

t.test('repeated numbers come packed or one by one', async (t) => {
  t.same(command('CommandGetSqlInfo', [0x0a, 3, 1, 0xc0, 4]), { kind: 'get_sql_info', info: [1, 576] });
  t.same(command('CommandGetSqlInfo', [0x08, 1, 0x08, 0xc0, 4]), { kind: 'get_sql_info', info: [1, 576] });
  t.throws(() => command('CommandGetSqlInfo', [0x0a, 2, 1, 0xc0]), { code: 'invalid_argument' });
});

t.test('maps and nested types are checked as well', async (t) => {
  const encoded = encodeGetSessionOptionsResult(new Map([['k', { kind: 'string_list', value: ['a', 'b'] }]]));
  t.equal(decodeGetSessionOptionsResult(encoded).size, 1);
  const broken = Buffer.from(encoded);
  broken[broken.length - 1] = 0xff;
  t.throws(() => decodeGetSessionOptionsResult(broken), { code: 'invalid_argument' });
});

t.test('the number of fields is bounded', async (t) => {
  const manyPaths = Buffer.alloc(1_000_000, Buffer.from([0x1a, 0]));
  t.throws(() => decodeFlightDescriptor(manyPaths), { code: 'resource_exhausted' });
  const endpoint = { ticket: { ticket: Buffer.alloc(0) }, location: [] };
  const wide = { schema: Buffer.alloc(0), endpoint: Array(60_000).fill(endpoint), totalRecords: 0, totalBytes: 0 };
  t.equal(decodeFlightInfo(encodeFlightInfo(wide)).endpoint.length, 60_000);
});
