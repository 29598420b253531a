import * as arrow from 'apache-arrow';
import t from 'tap';
import { type Cells, cellsOf, requirePrintable } from './cells.ts';

function printed(
  type: arrow.DataType,
  values: arrow.Data['values'] | undefined,
  length: number,
  more: object = {},
): readonly (string | null)[] {
  const column = arrow.makeData({ type, data: values, length, ...more } as never) as arrow.Data;
  return texts(columnOf(column), length);
}

function columnOf(column: arrow.Data): Cells {
  const schema = new arrow.Schema([new arrow.Field('c', column.type, true)]);
  const struct = arrow.makeData({ type: new arrow.Struct(schema.fields), length: column.length, children: [column] });
  const [cells] = cellsOf(new arrow.RecordBatch(schema, struct));
  if (cells === undefined) {
    throw new Error('no column');
  }
  return cells;
}

function texts(cells: Cells, length: number): readonly (string | null)[] {
  return Array.from({ length }, (_, row) => (cells.isNull(row) ? null : cells.text(row)));
}

function vector(values: readonly unknown[], type: arrow.DataType): Cells {
  const [column] = arrow.vectorFromArray(values as never[], type).data;
  if (column === undefined) {
    throw new Error('the vector is empty');
  }
  return columnOf(column);
}

t.test('integers of every width keep every digit', async (t) => {
  t.strictSame(printed(new arrow.Int64(), BigInt64Array.of(-9223372036854775808n, 9007199254740993n), 2), [
    '-9223372036854775808',
    '9007199254740993',
  ]);
  t.strictSame(printed(new arrow.Uint64(), BigUint64Array.of(18446744073709551615n), 1), ['18446744073709551615']);
  t.strictSame(printed(new arrow.Int8(), Int8Array.of(-128), 1), ['-128']);
});

t.test('floats are the shortest text that reads back', async (t) => {
  t.strictSame(printed(new arrow.Float64(), Float64Array.of(0.1, -0, Number.NaN, -Infinity, 1e300), 5), [
    '0.1',
    '-0',
    'NaN',
    '-Infinity',
    '1e+300',
  ]);
  t.strictSame(printed(new arrow.Float32(), Float32Array.of(0.1, 16777216, 3.4028234663852886e38), 3), [
    '0.1',
    '16777216',
    '3.4028235e+38',
  ]);
});

t.test('decimals are exact', async (t) => {
  const words = (value: bigint): number[] => [0n, 32n, 64n, 96n].map((shift) => Number(BigInt.asUintN(32, value >> shift)));
  const values = Uint32Array.from([12345n, -5n, -(10n ** 38n - 1n), 0n].flatMap(words));
  t.strictSame(printed(new arrow.Decimal(2, 38, 128), values, 4), ['123.45', '-0.05', '-999999999999999999999999999999999999.99', '0.00']);
  t.strictSame(printed(new arrow.Decimal(0, 38, 128), values.subarray(0, 4), 1), ['12345']);
});

t.test('dates, times and timestamps are ISO 8601 over their whole range', async (t) => {
  t.strictSame(printed(new arrow.DateDay(), Int32Array.of(0, 11016, -719528, -719529, 2147483646, 2147483647, -2147483647), 7), [
    '1970-01-01',
    '2000-02-29',
    '0001-01-01 (BC)',
    '0002-12-31 (BC)',
    '5881580-07-10',
    'infinity',
    '-infinity',
  ]);
  t.strictSame(printed(new arrow.TimeMicrosecond(), BigInt64Array.of(0n, 86_399_999_999n, 3_600_500_000n, 86_400_000_000n), 4), [
    '00:00:00',
    '23:59:59.999999',
    '01:00:00.5',
    '24:00:00',
  ]);
  t.strictSame(printed(new arrow.TimestampMicrosecond(), BigInt64Array.of(1_700_000_000_123_456n, -1n, 9223372036854775807n), 3), [
    '2023-11-14T22:13:20.123456',
    '1969-12-31T23:59:59.999999',
    'infinity',
  ]);
  t.strictSame(printed(new arrow.TimestampNanosecond(), BigInt64Array.of(1n), 1), ['1970-01-01T00:00:00.000000001']);
  t.strictSame(printed(new arrow.Timestamp(arrow.TimeUnit.SECOND, 'Europe/Berlin'), BigInt64Array.of(0n), 1), ['1970-01-01T00:00:00Z']);
});

t.test('intervals', async (t) => {
  const values = Int32Array.of(14, 3, 0, 0, /* */ 0, 0, -1_000_000_000, -1, /* */ 0, 0, 0, 0, /* */ -1, -2, 0, 0);
  t.strictSame(printed(new arrow.IntervalMonthDayNano(), values, 4), [
    '1 year 2 months 3 days',
    '-00:00:01',
    '00:00:00',
    '-1 month -2 days',
  ]);
});

t.test('text, blobs, booleans and NULL', async (t) => {
  t.strictSame(texts(vector(['日本', '', null], new arrow.Utf8()), 3), ['日本', '', null]);
  t.strictSame(texts(vector([Uint8Array.of(0x61, 0, 0xff, 0x5c)], new arrow.Binary()), 1), ['a\\x00\\xFF\\x5C']);
  t.strictSame(texts(vector([true, false, null], new arrow.Bool()), 3), ['true', 'false', null]);
  t.strictSame(texts(vector(['b', 'a', null, 'b'], new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32())), 4), ['b', 'a', null, 'b']);
});

t.test('nested values are JSON', async (t) => {
  const list = vector([[1n, null], null, []], new arrow.List(new arrow.Field('item', new arrow.Int64(), true)));
  t.strictSame(texts(list, 3), ['[1,null]', null, '[]']);
  t.equal(list.json(1), 'null');
  const struct = vector(
    [{ a: 'x"y', b: 1.5 }, null],
    new arrow.Struct([new arrow.Field('a', new arrow.Utf8(), true), new arrow.Field('b', new arrow.Float64(), true)]),
  );
  t.strictSame(texts(struct, 2), ['{"a":"x\\"y","b":1.5}', null]);
  const fixed = vector(
    [
      [1, 2],
      [3, 4],
    ],
    new arrow.FixedSizeList(2, new arrow.Field('item', new arrow.Int32(), true)),
  );
  t.strictSame(texts(fixed, 2), ['[1,2]', '[3,4]']);
  const entries = new arrow.Struct([new arrow.Field('key', new arrow.Utf8(), false), new arrow.Field('value', new arrow.Int32(), true)]);
  const map = vector(
    [
      new Map([
        ['k', 1],
        ['l', null],
      ]),
    ],
    new arrow.Map_(new arrow.Field('entries', entries as never, false)),
  );
  t.strictSame(texts(map, 1), ['{"k":1,"l":null}']);
});

t.test('unions print the member’s value', async (t) => {
  const fields = [new arrow.Field('n', new arrow.Int32(), true), new arrow.Field('s', new arrow.Utf8(), true)];
  const [n] = arrow.vectorFromArray([1, 0], new arrow.Int32()).data;
  const [s] = arrow.vectorFromArray(['', 'two'], new arrow.Utf8()).data;
  const union = arrow.makeData({
    type: new arrow.SparseUnion([0, 1], fields),
    length: 2,
    typeIds: Int8Array.of(0, 1),
    children: [n, s] as never,
  });
  t.strictSame(texts(columnOf(union as arrow.Data), 2), ['1', 'two']);
});

t.test('JSON quotes what JSON has no number for', async (t) => {
  const cells = columnOf(
    arrow.makeData({ type: new arrow.Float64(), data: Float64Array.of(1.5, Number.NaN, Infinity), length: 3 }) as arrow.Data,
  );
  t.strictSame(
    [0, 1, 2].map((row) => cells.json(row)),
    ['1.5', '"NaN"', '"Infinity"'],
  );
});

t.test('a type that cannot be shown is refused before any row', async (t) => {
  requirePrintable(new arrow.Schema([new arrow.Field('ok', new arrow.List(new arrow.Field('item', new arrow.Int8())))]));
  const odd = new arrow.Schema([new arrow.Field('odd', new arrow.List(new arrow.Field('item', new arrow.Utf8View())))]);
  t.throws(() => requirePrintable(odd), /column odd has the Arrow type Utf8View, which cannot be shown as text; use --format arrow/);
});
