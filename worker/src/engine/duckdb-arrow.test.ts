import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tableFromIPC } from 'apache-arrow';
import t from 'tap';
import { FlatTable } from '../arrow/flatbuffer-table.ts';
import { schemaMessage } from '../arrow/schema-message.ts';
import { openDuckDb } from './duckdb-engine.ts';
import { BATCH_MAX_ROWS, MESSAGE_MAX_BYTES } from './engine-limits.ts';
import { framesOf, ipcStream, openedFrame, query } from './result-reading.fixture.ts';

/** Compares each file of IPC with what Python's own DuckDB answers to the same statements, and prints every difference in schema or values. */
const COMPARE = `
import json, sys, duckdb, pyarrow as pa, pyarrow.compute as pc
def plain(type):
    return pa.utf8() if pa.types.is_dictionary(type) else pa.list_(pa.field(type.value_field.name, plain(type.value_type))) if pa.types.is_list(type) else type
def same(a, b):
    if a.equals(b): return True
    if not pa.types.is_list(a.type) or not a.is_valid().equals(b.is_valid()): return False
    return pc.list_value_length(a).equals(pc.list_value_length(b)) and a.flatten().cast(pa.string()).equals(b.flatten().cast(pa.string()))
def differences(path, statements):
    sent = pa.ipc.open_stream(path).read_all()
    connection = duckdb.connect(config={'threads': 1})
    for sql in statements: cursor = connection.execute(sql)
    wanted = cursor.to_arrow_table()
    if sent.schema.names != wanted.schema.names or sent.num_rows != wanted.num_rows: return ['names or rows']
    found = []
    for mine, theirs in zip(sent.schema, wanted.schema):
        metadata = {k: v for k, v in (mine.metadata or {}).items() if not k.startswith(b'ARROW:FLIGHT:SQL:')}
        if mine.type != plain(theirs.type) or mine.nullable != theirs.nullable or metadata != (theirs.metadata or {}): found.append(f'schema {mine} {theirs}')
    for i in range(sent.num_columns if sent.num_rows else 0):
        a, b = wanted.column(i).combine_chunks(), sent.column(i).combine_chunks()
        if plain(a.type) != a.type: a = a.cast(plain(a.type))
        if not same(a, b): found.append('values ' + sent.schema.names[i])
    return found
json.dump({name: differences(path, statements) for name, (path, statements) in json.load(sys.stdin).items()}, sys.stdout)
`;

const python = process.env['JETBRIDGE_TEST_PYTHON'] ?? fileURLToPath(new URL('../../../test/.clients/python/bin/python', import.meta.url));
const hasPython = existsSync(python);
const skip =
  hasPython || process.env['CI'] === 'true' ? false : `needs a Python with duckdb 1.5.5 and pyarrow at ${python}, or JETBRIDGE_TEST_PYTHON`;

async function stream(statements: readonly string[]): Promise<Buffer> {
  const engine = await openDuckDb({ path: ':memory:', threads: 1 });
  const connection = await engine.connect();
  for (const sql of statements.slice(0, -1)) {
    await connection.execute(sql);
  }
  const statement = await connection.prepare(statements.at(-1) ?? '');
  const result = await statement.execute('stream');
  const frames = await framesOf(result);
  const sent = ipcStream(result.schema, frames);
  await result.close();
  await engine.close();
  return sent;
}

const UTC = "SET TimeZone = 'UTC'";
const ENUM = "CREATE TYPE mood AS ENUM ('sad', 'süß', '')";
const COMPARED: Readonly<Record<string, readonly string[]>> = {
  'every type': [UTC, 'SELECT * FROM test_all_types()'],
  'every type in many chunks, with NULLs at every place': [UTC, 'SELECT t.* FROM test_all_types() t, range(3500)'],
  'every type in another time zone': [
    "SET TimeZone = 'Asia/Tokyo'",
    'SELECT timestamp_tz, timestamptz_array, time_tz FROM test_all_types()',
  ],
  'no rows': [UTC, 'SELECT * FROM test_all_types() WHERE false'],
  'all NULL': [
    UTC,
    'SELECT NULL AS a, NULL::INTEGER AS b, NULL::VARCHAR AS c, NULL::INTEGER[] AS d, NULL::STRUCT(x INTEGER, y VARCHAR) AS e, NULL::INTEGER[3] AS f FROM range(5000)',
  ],
  'odd nulls': [
    'SELECT CASE WHEN i % 3 = 0 THEN NULL ELSE i END AS a, CASE WHEN i % 5 = 0 THEN NULL ELSE i % 2 = 0 END AS b, CASE WHEN i % 7 = 0 THEN NULL ELSE [i, NULL, i + 1] END AS c, CASE WHEN i % 11 = 0 THEN NULL ELSE {x: i, y: {z: i::VARCHAR}} END AS d FROM range(10007) t(i)',
  ],
  'filtered chunks of odd sizes': [
    'SELECT i, i::VARCHAR AS s, [i::VARCHAR] AS l, i % 2 = 0 AS b FROM range(50000) t(i) WHERE hash(i) % 3 = 0 ORDER BY i',
  ],
  'UTF-8': ["SELECT unnest(['', 'a', 'é', '日本', '🛫', 'a\u0301', repeat('🛬', 1000), chr(0) || 'x', chr(1114111)]) AS s"],
  'long lists': ['SELECT range(i) AS r, [x::VARCHAR FOR x IN range(i)] AS s, map([i], [[i, NULL]]) AS m FROM range(300) t(i)'],
  arrays: [
    'SELECT a, [[i::VARCHAR, NULL], NULL]::VARCHAR[2][2] AS n, {x: a} AS s FROM (VALUES ([1, 2]::INTEGER[2]), (NULL), ([3, NULL]::INTEGER[2])) v(a), range(1500) t(i) ORDER BY i, a',
  ],
  enums: [
    ENUM,
    "SELECT (['sad', 'süß', '', NULL])[1 + i % 4]::mood AS m, [(['süß', NULL])[1 + i % 2]::mood, 'sad'] AS l FROM range(5000) t(i)",
  ],
  unions: [
    'SELECT CASE WHEN i % 3 = 0 THEN union_value(num := i) WHEN i % 3 = 1 THEN NULL ELSE union_value(num := 1) END AS u FROM range(3000) t(i)',
  ],
  'extension types': [
    "SELECT '{\"a\": 1}'::JSON AS j, 123456789012345678901234567890123456789012::BIGNUM AS b, 'POINT (1 2)'::GEOMETRY AS g",
  ],
  'wide rows': ['SELECT i, repeat(chr(65 + (i % 26)::INTEGER), (i % 9000)::INTEGER) AS s FROM range(6000) t(i)'],
};

t.test("equals Python's own Arrow", { skip }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'jetbridge-arrow-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const cases: Record<string, readonly [string, readonly string[]]> = {};
  for (const [i, [name, statements]] of Object.entries(COMPARED).entries()) {
    const path = join(directory, `${i}.arrow`);
    await writeFile(path, await stream(statements));
    cases[name] = [path, statements];
  }
  const { stdout, stderr, status } = spawnSync(python, ['-c', COMPARE], { input: JSON.stringify(cases), encoding: 'utf8' });
  t.equal(status, 0, stderr);
  const differences = JSON.parse(stdout) as Record<string, readonly string[]>;
  for (const name of Object.keys(COMPARED)) {
    t.strictSame(differences[name], [], name);
  }
});

t.test('the schema is known before the statement runs, and carries Flight SQL metadata', async (t) => {
  const engine = await openDuckDb({ path: ':memory:' });
  t.after(() => engine.close());
  const connection = await engine.connect();
  const statement = await connection.prepare("SELECT 1.50::DECIMAL(9, 2) AS d, 'x' AS s, 1::BIGINT AS i, '{}'::JSON AS j");
  const result = await statement.execute('stream');
  t.strictSame(schemaMessage(statement.schema), schemaMessage(result.schema));
  const metadata = (column: number): unknown =>
    Object.fromEntries(
      [...(result.schema.fields[column]?.metadata ?? [])].map(([key, value]) => [key.replace('ARROW:FLIGHT:SQL:', ''), value]),
    );
  t.strictSame(metadata(0), { TYPE_NAME: 'DECIMAL', PRECISION: '9', SCALE: '2' });
  t.strictSame(metadata(1), { TYPE_NAME: 'VARCHAR' });
  t.strictSame(metadata(2), { TYPE_NAME: 'BIGINT', PRECISION: '19', SCALE: '0' });
  t.strictSame(metadata(3), { TYPE_NAME: 'JSON' });
});

t.test('messages stay below the limit; one row may exceed it, up to 64 MiB', async (t) => {
  const engine = await openDuckDb({ path: ':memory:' });
  t.after(() => engine.close());
  const connection = await engine.connect();
  const frames = async (sql: string): Promise<readonly (readonly [number, number])[]> => {
    const statement = await connection.prepare(sql);
    const result = await statement.execute('stream');
    const sizes: [number, number][] = [];
    try {
      for (let frame = await result.next(); frame; frame = await result.next()) {
        sizes.push([frame.rows, frame.bytes.length]);
        frame.release();
      }
    } finally {
      await result.close();
      statement.close();
    }
    return sizes;
  };
  const many = await frames("SELECT repeat('x', 20000 + i::INTEGER) AS s, [i] AS l FROM range(1000) t(i)");
  t.equal(
    many.reduce((sum, [rows]) => sum + rows, 0),
    1000,
  );
  t.ok(many.every(([rows, bytes]) => bytes <= MESSAGE_MAX_BYTES && rows > 0));
  t.ok(many.length < 15, 'and are not needlessly small');
  const mixed = await frames("SELECT repeat('x', CASE WHEN i = 5 THEN 5000000 ELSE 10 END) AS s FROM range(10) t(i)");
  t.equal(
    mixed.reduce((sum, [rows]) => sum + rows, 0),
    10,
  );
  t.same(
    mixed.filter(([, bytes]) => bytes > MESSAGE_MAX_BYTES).map(([rows]) => rows),
    [1],
    'the large row travels alone',
  );
  await t.rejects(frames("SELECT repeat('x', 70000000) AS s"), { code: 'resource_exhausted', message: /One row/ });
  const narrow = await frames('SELECT i FROM range(100000) t(i)');
  t.ok(narrow.every(([rows]) => rows <= BATCH_MAX_ROWS));
});

t.test('padding, NULL slots and everything below a NULL are zero', async (t) => {
  const engine = await openDuckDb({ path: ':memory:', threads: 1 });
  t.after(() => engine.close());
  const connection = await engine.connect();
  // Fill the pool's and the allocator's memory with something to leak.
  await query(
    connection,
    "SELECT repeat(chr(255), 100) AS s, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::UUID AS u, -1::HUGEINT AS h, INTERVAL (-1) MONTH AS i FROM range(50000)",
  );
  const nullable = (value: string): string => `CASE WHEN i % 3 = 0 THEN NULL ELSE ${value} END`;
  await connection.execute('CREATE TABLE arrays AS SELECT k, [k, k]::BIGINT[2] AS v, {w: [k, k]::BIGINT[2]} AS s FROM range(101) t(k)');
  const columns = ['i', 'i::TINYINT', 'i::DOUBLE', '(i % 2 = 0)', 'INTERVAL (i) DAY', "'12:00:00+01'::TIMETZ", 'i::DECIMAL(18, 3)'].map(
    nullable,
  );
  const sql = `SELECT ${columns.join(', ')}, ${nullable('{a: i, b: INTERVAL (i) DAY}')}, v, s, i::VARCHAR FROM range(101) t(i) LEFT JOIN arrays ON k = i AND i % 3 > 0 ORDER BY i`;
  const statement = await connection.prepare(sql);
  const result = await statement.execute('stream');
  const frames = await framesOf(result);
  t.equal(frames.length, 1);
  const { header, body } = openedFrame(frames[0] ?? Buffer.alloc(0));
  const batch = FlatTable.root(header).table(2);
  const buffers = batch?.words(2, 2).map(Number) ?? [];
  t.equal(header.length % 8, 0);
  const used = new Uint8Array(body.length);
  for (let i = 0; i < buffers.length; i += 2) {
    t.equal((buffers[i] ?? 1) % 8, 0, 'aligned');
    used.fill(1, buffers[i], (buffers[i] ?? 0) + (buffers[i + 1] ?? 0));
  }
  t.ok(
    body.every((byte, at) => used[at] === 1 || byte === 0),
    'padding',
  );
  const slot = (buffer: number, width: number, row: number): Buffer =>
    body.subarray((buffers[buffer * 2] ?? 0) + row * width, (buffers[buffer * 2] ?? 0) + (row + 1) * width);
  const widths: Readonly<Record<number, number>> = { 1: 8, 3: 1, 5: 8, 9: 16, 11: 8, 13: 16, 16: 8, 18: 16, 21: 16, 25: 16 };
  for (const [buffer, width] of Object.entries(widths)) {
    for (let row = 0; row < 101; row += 3) {
      t.ok(
        slot(Number(buffer), width, row).every((byte) => byte === 0),
        `buffer ${buffer}, row ${row}`,
      );
    }
  }
  t.equal((slot(6, 1, 12)[0] ?? 255) >> 5, 0, 'bits behind the last row');
  t.equal(tableFromIPC(ipcStream(result.schema, frames)).numRows, 101);
});
