import t from 'tap';
import { openDuckDb } from './duckdb-engine.ts';
import type { ParameterValue } from './engine.ts';
import { query } from './result-reading.fixture.ts';

const integer = (value: bigint): ParameterValue => ({ kind: 'integer', value });
const text = (value: string): ParameterValue => ({ kind: 'text', value });

t.test('every kind arrives as what it is, with and without a type in the statement', async (t) => {
  const engine = await openDuckDb({ path: ':memory:' });
  t.after(() => engine.close());
  const connection = await engine.connect();
  await connection.execute("SET TimeZone = 'UTC'");
  const cases: readonly (readonly [ParameterValue, string, string])[] = [
    [{ kind: 'boolean', value: true }, 'BOOLEAN', 'true'],
    [integer(-5n), 'BIGINT', '-5'],
    [integer(2n ** 63n - 1n), 'BIGINT', '9223372036854775807'],
    [integer(-(2n ** 63n)), 'BIGINT', '-9223372036854775808'],
    [integer(2n ** 64n - 1n), 'UBIGINT', '18446744073709551615'],
    [integer(-(2n ** 127n)), 'HUGEINT', '-170141183460469231731687303715884105728'],
    [integer(2n ** 128n - 1n), 'UHUGEINT', '340282366920938463463374607431768211455'],
    [{ kind: 'double', value: 0.1 }, 'DOUBLE', '0.1'],
    [{ kind: 'double', value: -0 }, 'DOUBLE', '-0.0'],
    [{ kind: 'double', value: Number.NaN }, 'DOUBLE', 'nan'],
    [{ kind: 'decimal', unscaled: -12345n, precision: 9, scale: 3 }, 'DECIMAL(9,3)', '-12.345'],
    [{ kind: 'decimal', unscaled: -(10n ** 37n), precision: 38, scale: 10 }, 'DECIMAL(38,10)', '-1000000000000000000000000000.0000000000'],
    [text(''), 'VARCHAR', ''],
    [text("a'b\0c 🛫"), 'VARCHAR', "a'b\0c 🛫"],
    [{ kind: 'binary', value: new Uint8Array([0, 255, 65]) }, 'BLOB', '\\x00\\xFFA'],
    [{ kind: 'binary', value: new Uint8Array(0) }, 'BLOB', ''],
    [{ kind: 'date', days: -1 }, 'DATE', '1969-12-31'],
    [{ kind: 'time', micros: 86_399_999_999n }, 'TIME', '23:59:59.999999'],
    [{ kind: 'time_ns', nanos: 1n }, 'TIME_NS', '00:00:00.000000001'],
    [{ kind: 'timestamp', micros: -1n, zoned: false }, 'TIMESTAMP', '1969-12-31 23:59:59.999999'],
    [{ kind: 'timestamp', micros: 0n, zoned: true }, 'TIMESTAMP WITH TIME ZONE', '1970-01-01 00:00:00+00'],
    [{ kind: 'timestamp_ns', nanos: 1n }, 'TIMESTAMP_NS', '1970-01-01 00:00:00.000000001'],
    [{ kind: 'interval', months: 14, days: -3, micros: 1n }, 'INTERVAL', '1 year 2 months -3 days 00:00:00.000001'],
  ];
  for (const [value, type, shown] of cases) {
    const untyped = await query(connection, 'SELECT typeof(?), ?::VARCHAR', [value, value]);
    const [row] = untyped.toArray();
    t.same([...Object.values(row?.toJSON() ?? {})], [type, shown], `${type} ${shown}`);
    const typed = await query(connection, `SELECT (?::${type})::VARCHAR AS s`, [value]);
    t.equal(typed.getChild('s')?.get(0), shown, `${shown} as ${type}`);
  }
  const none = await query(connection, 'SELECT ? IS NULL AS a, ?::INTEGER IS NULL AS b', [{ kind: 'null' }, { kind: 'null' }]);
  t.same([none.getChild('a')?.get(0), none.getChild('b')?.get(0)], [true, true]);
});

t.test('an integer takes the inferred type where it fits, so that overloads resolve', async (t) => {
  const engine = await openDuckDb({ path: ':memory:' });
  t.after(() => engine.close());
  const connection = await engine.connect();
  await connection.execute(
    'CREATE TABLE t (a TINYINT, b SMALLINT, c INTEGER, d UTINYINT, e USMALLINT, f UINTEGER, g UBIGINT, h HUGEINT, i UHUGEINT, j FLOAT)',
  );
  const values = [...Array.from({ length: 9 }, () => integer(7n)), { kind: 'double', value: 0.5 } as const];
  await query(connection, 'INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)', values);
  t.equal((await query(connection, 'FROM t WHERE a = ? AND j = ?', [integer(7n), { kind: 'double', value: 0.5 }])).numRows, 1);
  t.equal((await query(connection, 'SELECT chr(?) AS s', [integer(65n)])).getChild('s')?.get(0), 'A');
  await t.rejects(query(connection, 'INSERT INTO t (a) VALUES (?)', [integer(300n)]), { code: 'invalid_argument' });
});

t.test('parameters are described by position, name and inferred type', async (t) => {
  const engine = await openDuckDb({ path: ':memory:' });
  t.after(() => engine.close());
  const connection = await engine.connect();
  await connection.execute("CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE t (i INTEGER, d DECIMAL(9, 2), m mood)");
  const described = async (sql: string): Promise<string[]> => {
    const statement = await connection.prepare(sql);
    statement.close();
    return statement.parameters.map((field) => `${field.name} ${field.type} ${field.metadata.get('ARROW:FLIGHT:SQL:TYPE_NAME')}`);
  };
  t.same(await described('SELECT ?, ?'), ['1 Utf8 VARCHAR', '2 Utf8 VARCHAR']);
  t.same(await described('INSERT INTO t VALUES ($1, $2, $3)'), ['1 Int32 INTEGER', '2 Decimal[9e+2] DECIMAL', '3 Utf8 ENUM']);
  t.same(await described('SELECT $b::DATE, $a::INTERVAL, $b'), ['b Date32<DAY> DATE', 'a Interval<MONTH_DAY_NANO> INTERVAL']);
  t.same(await described('SELECT 1'), []);
});

t.test('results take the types of what is bound', async (t) => {
  const engine = await openDuckDb({ path: ':memory:' });
  t.after(() => engine.close());
  const connection = await engine.connect();
  const statement = await connection.prepare('SELECT ? AS v');
  for (const [value, type] of [
    [integer(1n), 'Int64'],
    [text('x'), 'Utf8'],
    [integer(2n), 'Int64'],
  ] as const) {
    statement.bind([value]);
    const result = await statement.execute('stored');
    t.equal(String(result.schema.fields[0]?.type), type);
    await result.close();
  }
});

t.test('what cannot be bound is refused with the reason', async (t) => {
  const engine = await openDuckDb({ path: ':memory:' });
  t.after(() => engine.close());
  const connection = await engine.connect();
  const statement = await connection.prepare('SELECT ?');
  const refused: readonly (readonly [ParameterValue, RegExp])[] = [
    [integer(2n ** 128n), /128 bits/],
    [integer(-(2n ** 127n) - 1n), /128 bits/],
    [{ kind: 'decimal', unscaled: 1n, precision: 39, scale: 0 }, /38 digits/],
    [{ kind: 'decimal', unscaled: 100n, precision: 2, scale: 0 }, /more than 2 digits/],
    [{ kind: 'decimal', unscaled: 1n, precision: 2, scale: 3 }, /not a type/],
    [{ kind: 'date', days: 2 ** 31 }, /range/],
    [{ kind: 'time', micros: 86_400_000_001n }, /range/],
    [{ kind: 'time_ns', nanos: -1n }, /range/],
    [{ kind: 'timestamp', micros: 2n ** 63n, zoned: false }, /range/],
    [{ kind: 'interval', months: 2 ** 31, days: 0, micros: 0n }, /range/],
  ];
  for (const [value, message] of refused) {
    t.throws(() => statement.bind([value]), { code: 'invalid_argument', message });
  }
  t.throws(() => statement.bind([]), { code: 'invalid_argument', message: /1 parameters.*0 values/ });
  await t.rejects((await connection.prepare('SELECT ?')).execute('stored'), { code: 'invalid_argument' }, 'never bound');
  statement.bind([{ kind: 'timestamp', micros: -(2n ** 63n), zoned: false }]);
  await statement.execute('stored').then(
    (result) => result.close(),
    () => undefined,
  );
});
