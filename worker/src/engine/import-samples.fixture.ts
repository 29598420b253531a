import { column, type MadeColumn, NO_NULLS, texts, validityOf } from '../arrow/import.fixture.ts';

/** A column of three rows and what DuckDB shows of it as text. */
export interface Sample {
  readonly column: MadeColumn;
  readonly type: string;
  readonly texts: readonly (string | null)[];
}

const SECOND_NULL = validityOf(3, [1]);
const long = 'a text that is longer than twelve bytes';

function sample(type: string, made: MadeColumn, shown: readonly (string | null)[]): Sample {
  return { column: made, type, texts: shown };
}

/** The same values without NULLs and with the second NULL. */
function both(type: string, kind: MadeColumn['field']['type'], values: readonly ArrayBufferView[], shown: readonly string[]): Sample[] {
  return [
    sample(type, column('c', kind, 3, [NO_NULLS, ...values]), shown),
    sample(type, column('c', kind, 3, [SECOND_NULL, ...values]), [shown[0] ?? '', null, shown[2] ?? '']),
  ];
}

function views(values: readonly string[]): readonly ArrayBufferView[] {
  const view = Buffer.alloc(values.length * 16);
  const shown = Buffer.concat(values.map((value) => Buffer.from(value)));
  let at = 0;
  values.forEach((value, i) => {
    const bytes = Buffer.from(value);
    view.writeInt32LE(bytes.length, i * 16);
    bytes.copy(view, i * 16 + 4, 0, bytes.length <= 12 ? 12 : 4);
    if (bytes.length > 12) {
      view.writeInt32LE(at, i * 16 + 12);
    }
    at += bytes.length;
  });
  return [view, shown];
}

const TEXT_BYTES = Buffer.from(`aé${long}`);
const TEXT_OFFSETS = [0, 1, 3, TEXT_BYTES.length];
const TEXTS = ['a', 'é', long];
const BLOB_BYTES = Buffer.from([0, 1, 0xff, 0x41]);
const int = (bits: number, signed = true): MadeColumn['field']['type'] => ({ kind: 'int', bits, signed });
const numbers = ['-1', '2', '3'];
const HOUR = 3600n;

/** One of each type that DuckDB has. */
export const SAMPLES: readonly Sample[] = [
  ...both('TINYINT', int(8), [Int8Array.of(-1, 2, 3)], numbers),
  ...both('SMALLINT', int(16), [Int16Array.of(-1, 2, 3)], numbers),
  ...both('INTEGER', int(32), [Int32Array.of(-1, 2, 3)], numbers),
  ...both('BIGINT', int(64), [BigInt64Array.of(-1n, 2n, 3n)], numbers),
  ...both('UTINYINT', int(8, false), [Uint8Array.of(255, 2, 3)], ['255', '2', '3']),
  ...both('USMALLINT', int(16, false), [Uint16Array.of(65535, 2, 3)], ['65535', '2', '3']),
  ...both('UINTEGER', int(32, false), [Uint32Array.of(2 ** 32 - 1, 2, 3)], ['4294967295', '2', '3']),
  ...both('UBIGINT', int(64, false), [BigUint64Array.of(2n ** 64n - 1n, 2n, 3n)], ['18446744073709551615', '2', '3']),
  ...both('FLOAT', { kind: 'float', bits: 32 }, [Float32Array.of(0.5, 2, Number.NaN)], ['0.5', '2.0', 'nan']),
  ...both('DOUBLE', { kind: 'float', bits: 64 }, [Float64Array.of(0.1, 2, Number.POSITIVE_INFINITY)], ['0.1', '2.0', 'inf']),
  ...both('BOOLEAN', { kind: 'bool' }, [Uint8Array.of(0b101)], ['true', 'false', 'true']),
  ...both('VARCHAR', { kind: 'utf8' }, [Int32Array.from(TEXT_OFFSETS), TEXT_BYTES], TEXTS),
  ...both('VARCHAR', { kind: 'large_utf8' }, [BigInt64Array.from(TEXT_OFFSETS.map(BigInt)), TEXT_BYTES], TEXTS),
  ...both('VARCHAR', { kind: 'utf8_view' }, views(TEXTS), TEXTS),
  ...both('BLOB', { kind: 'binary' }, [Int32Array.of(0, 1, 3, 4), BLOB_BYTES], ['\\x00', '\\x01\\xFF', 'A']),
  ...both('BLOB', { kind: 'large_binary' }, [BigInt64Array.of(0n, 1n, 3n, 4n), BLOB_BYTES], ['\\x00', '\\x01\\xFF', 'A']),
  ...both('BLOB', { kind: 'binary_view' }, views(['a', '', long]), ['a', '', long]),
  ...both('BLOB', { kind: 'fixed_binary', width: 1 }, [Buffer.from('abc')], ['a', 'b', 'c']),
  ...both(
    'DECIMAL(4,1)',
    { kind: 'decimal', precision: 4, scale: 1, bits: 128 },
    [BigInt64Array.of(-9999n, -1n, 5n, 0n, 9999n, 0n)],
    ['-999.9', '0.5', '999.9'],
  ),
  ...both(
    'DECIMAL(9,2)',
    { kind: 'decimal', precision: 9, scale: 2, bits: 32 },
    [Int32Array.of(-999_999_999, 5, 1)],
    ['-9999999.99', '0.05', '0.01'],
  ),
  ...both(
    'DECIMAL(18,0)',
    { kind: 'decimal', precision: 18, scale: 0, bits: 64 },
    [BigInt64Array.of(-(10n ** 18n) + 1n, 5n, 1n)],
    ['-999999999999999999', '5', '1'],
  ),
  ...both(
    'DECIMAL(38,0)',
    { kind: 'decimal', precision: 38, scale: 0, bits: 128 },
    [BigUint64Array.of(BigInt.asUintN(64, 10n ** 38n - 1n), (10n ** 38n - 1n) >> 64n, 5n, 0n, 1n, 0n)],
    ['99999999999999999999999999999999999999', '5', '1'],
  ),
  ...both('DATE', { kind: 'date', milliseconds: false }, [Int32Array.of(-1, 0, 19_000)], ['1969-12-31', '1970-01-01', '2022-01-08']),
  ...both(
    'DATE',
    { kind: 'date', milliseconds: true },
    [BigInt64Array.of(-86_400_000n, 0n, 19_000n * 86_400_000n)],
    ['1969-12-31', '1970-01-01', '2022-01-08'],
  ),
  ...both('TIME', { kind: 'time', unit: 'second', bits: 32 }, [Int32Array.of(0, 3600, 86_400)], ['00:00:00', '01:00:00', '24:00:00']),
  ...both('TIME', { kind: 'time', unit: 'millisecond', bits: 32 }, [Int32Array.of(0, 1, 1000)], ['00:00:00', '00:00:00.001', '00:00:01']),
  ...both(
    'TIME',
    { kind: 'time', unit: 'microsecond', bits: 64 },
    [BigInt64Array.of(0n, 1n, HOUR * 1_000_000n)],
    ['00:00:00', '00:00:00.000001', '01:00:00'],
  ),
  ...both(
    'TIME_NS',
    { kind: 'time', unit: 'nanosecond', bits: 64 },
    [BigInt64Array.of(0n, 1n, HOUR * 1_000_000_000n)],
    ['00:00:00', '00:00:00.000000001', '01:00:00'],
  ),
  ...(['second', 'millisecond', 'microsecond', 'nanosecond'] as const).flatMap((unit, i) => [
    ...both(
      ['TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP', 'TIMESTAMP_NS'][i] ?? '',
      { kind: 'timestamp', unit, zoned: false },
      [BigInt64Array.of(0n, 1000n ** BigInt(i), -(1000n ** BigInt(i)))],
      ['1970-01-01 00:00:00', '1970-01-01 00:00:01', '1969-12-31 23:59:59'],
    ),
    ...both(
      'TIMESTAMP WITH TIME ZONE',
      { kind: 'timestamp', unit, zoned: true },
      [BigInt64Array.of(0n, 1000n ** BigInt(i), -(1000n ** BigInt(i)))],
      ['1970-01-01 00:00:00+00', '1970-01-01 00:00:01+00', '1969-12-31 23:59:59+00'],
    ),
    ...both(
      'INTERVAL',
      { kind: 'duration', unit, bits: 64 },
      [BigInt64Array.of(0n, 1000n ** BigInt(i), HOUR * 1000n ** BigInt(i))],
      ['00:00:00', '00:00:01', '01:00:00'],
    ),
  ]),
  ...both('INTERVAL', { kind: 'interval', unit: 'year_month' }, [Int32Array.of(1, 12, 13)], ['1 month', '1 year', '1 year 1 month']),
  ...both(
    'INTERVAL',
    { kind: 'interval', unit: 'month_day_nano' },
    [Buffer.from(new BigInt64Array([1n | (2n << 32n), 1000n, 0n, 0n, 1n, 0n]).buffer)],
    ['1 month 2 days 00:00:00.000001', '00:00:00', '1 month'],
  ),
  sample('INTEGER', column('c', { kind: 'null' }, 3, []), [null, null, null]),
  ...nested(),
];

function nested(): Sample[] {
  const child = column('item', int(32), 4, [validityOf(4, [2]), Int32Array.of(1, 2, 3, 4)]);
  const plain = column('item', int(32), 6, [NO_NULLS, Int32Array.of(1, 2, 3, 4, 5, 6)]);
  const words = texts('item', ['a', 'bc', undefined, long]);
  const pair = [column('i', int(32), 3, [NO_NULLS, Int32Array.of(1, 2, 3)]), texts('s', ['x', 'y', undefined])];
  const entries = column(
    'entries',
    { kind: 'struct' },
    4,
    [NO_NULLS],
    [column('k', int(32), 4, [NO_NULLS, Int32Array.of(1, 2, 3, 4)]), texts('v', ['a', 'b', 'c', undefined])],
  );
  const offsets = Int32Array.of(0, 2, 2, 4);
  const structs = column('item', { kind: 'struct' }, 3, [NO_NULLS], pair);
  return [
    ...[NO_NULLS, SECOND_NULL].flatMap((validity) => {
      const second = (shown: string): string | null => (validity.length === 0 ? shown : null);
      return [
        sample('INTEGER[]', column('c', { kind: 'list' }, 3, [validity, offsets], [child]), ['[1, 2]', second('[]'), '[NULL, 4]']),
        sample('VARCHAR[]', column('c', { kind: 'list' }, 3, [validity, offsets], [words]), ['[a, bc]', second('[]'), `[NULL, ${long}]`]),
        sample('INTEGER[]', column('c', { kind: 'large_list' }, 3, [validity, BigInt64Array.of(1n, 2n, 2n, 4n)], [child]), [
          '[2]',
          second('[]'),
          '[NULL, 4]',
        ]),
        sample('INTEGER[2]', column('c', { kind: 'fixed_list', size: 2 }, 3, [validity], [plain]), ['[1, 2]', second('[3, 4]'), '[5, 6]']),
        sample('STRUCT(i INTEGER, s VARCHAR)', column('c', { kind: 'struct' }, 3, [validity], pair), [
          "{'i': 1, 's': x}",
          second("{'i': 2, 's': y}"),
          "{'i': 3, 's': NULL}",
        ]),
        sample('MAP(INTEGER, VARCHAR)', column('c', { kind: 'map' }, 3, [validity, offsets], [entries]), [
          '{1=a, 2=b}',
          second('{}'),
          '{3=c, 4=NULL}',
        ]),
        sample('STRUCT(i INTEGER, s VARCHAR)[]', column('c', { kind: 'list' }, 3, [validity, Int32Array.of(1, 1, 1, 3)], [structs]), [
          '[]',
          second('[]'),
          "[{'i': 2, 's': y}, {'i': 3, 's': NULL}]",
        ]),
      ];
    }),
    sample(
      'INTEGER[]',
      column('c', { kind: 'list' }, 3, [NO_NULLS, Int32Array.of(0, 0, 0, 0)], [column('item', { kind: 'null' }, 0, [])]),
      ['[]', '[]', '[]'],
    ),
  ];
}
