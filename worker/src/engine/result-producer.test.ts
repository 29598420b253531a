import t from 'tap';
import { type EncodedFrame, EncodeTools } from './batch-encoder.ts';
import type { EncodeColumn, JobOutcome, ResultLeft } from './encode-messages.ts';
import { type DescribedColumn, describeColumns } from './exported-schema.ts';
import { type LibDuckDb, loadLibDuckDb } from './libduckdb.ts';
import { NativeHandle, NativeReader, nativeHandle } from './native-memory.ts';
import { resultMemory, wordsOf } from './result-memory.ts';
import { ResultProducer } from './result-producer.ts';

const lib = loadLibDuckDb();
const tools = new EncodeTools(lib, new NativeReader(lib));
const FROM_THE_START: ResultLeft = { chunks: [], ending: undefined };

/** A connection to a database of its own, straight through the C API. */
function connect(): NativeHandle {
  const [config, database, connection] = [new NativeHandle(), new NativeHandle(), new NativeHandle()];
  lib.createConfig(config.holder);
  t.equal(lib.openExt(':memory:', database.holder, config.address, new NativeHandle().holder), 0);
  t.equal(lib.connect(database.address, connection.holder), 0);
  t.teardown(() => {
    lib.disconnect(connection.holder);
    lib.close(database.holder);
    lib.destroyConfig(config.holder);
  });
  return connection;
}

function execute(connection: NativeHandle, sql: string, streaming: boolean): Uint8Array<ArrayBuffer> {
  const [extracted, statement, memory] = [new NativeHandle(), new NativeHandle(), resultMemory()];
  lib.extractStatements(connection.address, sql, extracted.holder);
  const failed =
    lib.prepareExtracted(connection.address, extracted.address, 0, statement.holder) ||
    (streaming ? lib.executeStreaming : lib.executePrepared)(statement.address, memory);
  const reason = failed ? (lib.resultError(memory) ?? lib.prepareError(statement.address)) : null;
  lib.destroyPrepare(statement.holder);
  lib.destroyExtracted(extracted.holder);
  if (failed) {
    throw new Error(`${sql}: ${reason}`);
  }
  return memory;
}

function columnsOf(library: LibDuckDb, memory: Uint8Array): readonly DescribedColumn[] {
  const options = nativeHandle(library.resultArrowOptions(memory));
  const names = Array.from({ length: library.resultColumnCount(memory) }, (_, i) => ({
    name: library.resultColumnName(memory, i),
    type: library.resultColumnLogicalType(memory, i),
  }));
  const { columns } = describeColumns(tools, options.address, names, 'result');
  library.destroyArrowOptions(options.holder);
  return columns;
}

interface Produced {
  readonly frames: readonly Buffer[];
  readonly rows: number;
  readonly inPlace: number;
}

/** All frames of a query; `framesPerJob` pauses in between, as a stalled reader makes it do. */
function produce(connection: NativeHandle, sql: string, how: 'in place' | 'exported', streaming = true, framesPerJob = 1000): Produced {
  const memory = execute(connection, sql, streaming);
  const described = columnsOf(lib, memory);
  const columns: EncodeColumn[] = described.map(({ layout, vector }) => ({ layout, vector: how === 'exported' ? undefined : vector }));
  const frames: Buffer[] = [];
  let rows = 0;
  let ending: JobOutcome | undefined;
  const outlet = {
    // The clock stands still: rows that wait for long are sent early, and frames would differ on a busy machine.
    nowMs: () => 0,
    fetching: () => undefined,
    // Filled with rubbish: whatever is not written would show.
    takeMemory: (bytes: number) => Buffer.allocUnsafeSlow(bytes).fill(how === 'exported' ? 0xaa : 0x55),
    frame: (frame: EncodedFrame, end: JobOutcome | undefined) => {
      frames.push(frame.memory.subarray(frame.start, frame.end));
      rows += frame.rows;
      ending = end;
      return frames.length % framesPerJob !== 0;
    },
  };
  for (let left = FROM_THE_START; ; ) {
    const outcome = new ResultProducer(tools, columns, wordsOf(memory), outlet).run(left) ?? ending;
    if (outcome?.kind !== 'paused') {
      t.equal(outcome?.kind, 'ended', sql);
      return { frames, rows, inPlace: columns.filter((column) => column.vector !== undefined).length };
    }
    left = outcome.left;
  }
}

const NULLABLE = (value: string, every: number): string => `CASE WHEN i % ${every} = 0 THEN NULL ELSE ${value} END`;
const SAME: Readonly<Record<string, string>> = {
  'every type': 'SELECT * FROM test_all_types()',
  'every type in many chunks': 'SELECT t.* FROM test_all_types() t, range(1500)',
  'no rows': 'SELECT * FROM test_all_types() WHERE false',
  constants:
    "SELECT 1 AS a, 'x' AS b, [1, 2] AS c, {a: 'long enough not to be inlined'} AS d, NULL::VARCHAR AS e, true AS f FROM range(5000)",
  decimals: `SELECT ${[4, 9, 18, 38].flatMap((digits) => [`d::DECIMAL(${digits}, 1)`, NULLABLE(`(-d)::DECIMAL(${digits}, 1)`, 3)]).join(', ')} FROM (SELECT i, (i % 900)::DOUBLE / 7 AS d FROM range(5000) t(i))`,
  booleans: `SELECT i % 3 = 0 AS a, ${NULLABLE('i % 5 < 2', 7)} AS b, [i % 2 = 0, NULL, true] AS c FROM range(9001) t(i)`,
  texts: `SELECT repeat('x', (i % 30)::INTEGER) AS a, ${NULLABLE("'row number ' || i", 4)} AS b, (i % 10)::VARCHAR AS c, repeat('y', 12 + (i % 2)::INTEGER) AS d, ''::BLOB AS e FROM range(9001) t(i)`,
  'long texts': "SELECT repeat('z', (hash(i) % 20000)::INTEGER) AS a, i FROM range(3000) t(i)",
  'filtered chunks of odd sizes':
    "SELECT i, i::VARCHAR AS s, [i::VARCHAR, 'twenty characters long'] AS l, i % 2 = 0 AS b FROM range(40000) t(i) WHERE hash(i) % 3 = 0",
  lists: `SELECT range(i % 9) AS a, ${NULLABLE('[x::VARCHAR || repeat(chr(65), 10) FOR x IN range(i % 5)]', 6)} AS b, [[i], [], NULL, [i, NULL]] AS c FROM range(7000) t(i)`,
  'lists out of order': 'SELECT l, list_slice(l, 2, 3) AS s FROM (SELECT i, range(i % 7) AS l FROM range(9000) t(i)) ORDER BY hash(i)',
  'lists of many': 'SELECT range(20000) AS r FROM range(7)',
  structs: `SELECT ${NULLABLE("{a: i, b: {c: i::VARCHAR || ' and more of it', d: [i]}}", 5)} AS s, {e: ${NULLABLE('i', 3)}, f: 1.5::DECIMAL(5, 2)} AS n FROM range(5003) t(i)`,
  maps: `SELECT map([i, i + 1], ['a', NULL]) AS a, ${NULLABLE("map(['k' || i], [{v: i}])", 3)} AS b, map() AS c FROM range(5003) t(i)`,
  arrays:
    "SELECT v AS a, {w: v} AS s, [[i::VARCHAR, 'longer than twelve bytes'], NULL]::VARCHAR[2][2] AS b FROM range(5003) t(i) LEFT JOIN (SELECT k * 3 AS k, [k, k + 1, NULL]::BIGINT[3] AS v FROM range(900) r(k)) ON k = i ORDER BY i",
  'covered and not, mixed': `SELECT i, uuid '00000000-0000-0000-0000-000000000001' AS u, {u: TIME '12:00:00', e: ${NULLABLE('INTERVAL (i) DAY', 3)}} AS s, i::VARCHAR AS v, union_value(n := i) AS w FROM range(5003) t(i)`,
  'joined lists':
    'SELECT a.l, b.l AS m FROM (SELECT i, [i, i * 2] AS l FROM range(3000) t(i)) a JOIN (SELECT i * 2 AS i, [i::VARCHAR] AS l FROM range(3000) t(i)) b USING (i)',
};

t.test('what is read in place is, to the byte, what DuckDB exports', async (t) => {
  const connection = connect();
  for (const [name, sql] of Object.entries(SAME)) {
    for (const streaming of [true, false]) {
      const inPlace = produce(connection, sql, 'in place', streaming);
      const exported = produce(connection, sql, 'exported', streaming);
      t.equal(inPlace.rows, exported.rows, `${name}: rows`);
      t.ok(inPlace.inPlace > 0, `${name}: something is read in place`);
      t.ok(Buffer.concat(inPlace.frames).equals(Buffer.concat(exported.frames)), `${name}: bytes, ${streaming ? 'streamed' : 'stored'}`);
    }
  }
});

t.test('whatever the number of rows', async (t) => {
  const connection = connect();
  for (const rows of [0, 1, 7, 8, 9, 63, 64, 65, 2047, 2048, 2049, 4097]) {
    const sql = `SELECT i, ${NULLABLE("'text number ' || i", 3)}, i % 2 = 0, [i], (i / 10)::DECIMAL(9, 1) FROM range(${rows}) t(i)`;
    const inPlace = produce(connection, sql, 'in place');
    t.equal(inPlace.rows, rows);
    t.ok(Buffer.concat(inPlace.frames).equals(Buffer.concat(produce(connection, sql, 'exported').frames)), `${rows} rows`);
  }
});

t.test('a job that pauses after each frame makes the same frames', async (t) => {
  const connection = connect();
  for (const sql of [
    'SELECT i, i::VARCHAR AS s FROM range(300000) t(i)',
    "SELECT repeat('x', 900000) AS s, [i] AS l FROM range(9) t(i)",
    'SELECT i FROM range(2048) t(i)',
  ]) {
    for (const streaming of [true, false]) {
      const [whole, paused] = [produce(connection, sql, 'in place', streaming), produce(connection, sql, 'in place', streaming, 1)];
      t.equal(paused.rows, whole.rows);
      t.ok(Buffer.concat(paused.frames).equals(Buffer.concat(whole.frames)), sql);
    }
  }
});

t.test('rows that have waited are sent without waiting for more', async (t) => {
  const connection = connect();
  const memory = execute(connection, 'SELECT i FROM range(100000) t(i)', true);
  const columns = columnsOf(lib, memory);
  const rows: number[] = [];
  let clockMs = 0;
  const outlet = {
    nowMs: () => clockMs,
    fetching: () => {
      clockMs += 30;
    },
    takeMemory: (bytes: number) => Buffer.alloc(bytes),
    frame: (frame: EncodedFrame) => rows.push(frame.rows) > 0,
  };
  new ResultProducer(tools, columns, wordsOf(memory), outlet).run(FROM_THE_START);
  t.ok(
    rows.slice(0, -1).every((count) => count === 3 * 2048),
    `frames of ${rows.join()} rows`,
  );
  t.equal(
    rows.reduce((sum, count) => sum + count, 0),
    100000,
  );
});
