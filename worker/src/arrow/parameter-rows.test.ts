import { StatusError } from '@jetbridge/proto/status-error';
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  DateMillisecond,
  Decimal,
  Dictionary,
  DurationSecond,
  Field,
  FixedSizeBinary,
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  IntervalDayTime,
  IntervalMonthDayNano,
  IntervalYearMonth,
  LargeBinary,
  LargeUtf8,
  List,
  makeData,
  Null,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimeMicrosecond,
  TimeMillisecond,
  TimeNanosecond,
  TimeSecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  tableFromArrays,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import t from 'tap';
import type { ParameterValue } from '../engine/engine.ts';
import { decodeParameterRows, type UploadedFlightData } from './parameter-rows.ts';
import { messagesOf } from './upload.fixture.ts';

function upload(columns: Readonly<Record<string, ReturnType<typeof makeData>>>, length: number): UploadedFlightData[] {
  const fields = Object.entries(columns).map(([name, data]) => new Field(name, data.type as DataType, true));
  const schema = new Schema(fields);
  const batch = new RecordBatch(schema, makeData({ type: new Struct(fields), length, nullCount: 0, children: Object.values(columns) }));
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, schema);
  writer.write(batch);
  writer.finish();
  return messagesOf(writer.toUint8Array(true));
}

/** One column of two rows, the second NULL, of raw values. */
function column(type: DataType, data: ArrayBufferView): UploadedFlightData[] {
  return upload({ c: makeData({ type, length: 2, nullCount: 1, nullBitmap: Uint8Array.of(1), data } as never) }, 2);
}

const timestamp = (micros: bigint, zoned = false): ParameterValue => ({ kind: 'timestamp', micros, zoned });
const FIXED: readonly (readonly [DataType, ArrayBufferView, ParameterValue])[] = [
  [new Int8(), Int8Array.of(-8, 0), { kind: 'integer', value: -8n }],
  [new Int16(), Int16Array.of(-16, 0), { kind: 'integer', value: -16n }],
  [new Int32(), Int32Array.of(-32, 0), { kind: 'integer', value: -32n }],
  [new Int64(), BigInt64Array.of(-(2n ** 63n), 0n), { kind: 'integer', value: -(2n ** 63n) }],
  [new Uint8(), Uint8Array.of(255, 0), { kind: 'integer', value: 255n }],
  [new Uint16(), Uint16Array.of(65535, 0), { kind: 'integer', value: 65535n }],
  [new Uint32(), Uint32Array.of(2 ** 32 - 1, 0), { kind: 'integer', value: 2n ** 32n - 1n }],
  [new Uint64(), BigUint64Array.of(2n ** 64n - 1n, 0n), { kind: 'integer', value: 2n ** 64n - 1n }],
  [new Float16(), Uint16Array.of(0xc500, 0), { kind: 'double', value: -5 }],
  [new Float16(), Uint16Array.of(0x0001, 0), { kind: 'double', value: 2 ** -24 }],
  [new Float16(), Uint16Array.of(0x7c00, 0), { kind: 'double', value: Number.POSITIVE_INFINITY }],
  [new Float32(), Float32Array.of(0.5, 0), { kind: 'double', value: 0.5 }],
  [new Float64(), Float64Array.of(0.1, 0), { kind: 'double', value: 0.1 }],
  [new Bool(), Uint8Array.of(1), { kind: 'boolean', value: true }],
  [new Decimal(2, 10, 128), Int32Array.of(-12345, -1, -1, -1, 0, 0, 0, 0), { kind: 'decimal', unscaled: -12345n, precision: 10, scale: 2 }],
  [
    new Decimal(0, 40, 256),
    Int32Array.of(7, 0, 0, 0, 0, 0, 0, 0, ...Array.from({ length: 8 }, () => 0)),
    { kind: 'decimal', unscaled: 7n, precision: 40, scale: 0 },
  ],
  [new DateDay(), Int32Array.of(-1, 0), { kind: 'date', days: -1 }],
  [new DateMillisecond(), BigInt64Array.of(-1n, 0n), { kind: 'date', days: -1 }],
  [new TimeSecond(), Int32Array.of(61, 0), { kind: 'time', micros: 61_000_000n }],
  [new TimeMillisecond(), Int32Array.of(61, 0), { kind: 'time', micros: 61_000n }],
  [new TimeMicrosecond(), BigInt64Array.of(61n, 0n), { kind: 'time', micros: 61n }],
  [new TimeNanosecond(), BigInt64Array.of(61_000n, 0n), { kind: 'time', micros: 61n }],
  [new TimeNanosecond(), BigInt64Array.of(61n, 0n), { kind: 'time_ns', nanos: 61n }],
  [new TimestampSecond(), BigInt64Array.of(-2n, 0n), timestamp(-2_000_000n)],
  [new TimestampMillisecond(), BigInt64Array.of(-2n, 0n), timestamp(-2000n)],
  [new TimestampMicrosecond('UTC'), BigInt64Array.of(-2n, 0n), timestamp(-2n, true)],
  [new TimestampNanosecond(), BigInt64Array.of(-2000n, 0n), timestamp(-2n)],
  [new TimestampNanosecond(), BigInt64Array.of(-1n, 0n), { kind: 'timestamp_ns', nanos: -1n }],
  [new TimestampNanosecond('UTC'), BigInt64Array.of(-1n, 0n), timestamp(-1n, true)],
  [new DurationSecond(), BigInt64Array.of(3n, 0n), { kind: 'interval', months: 0, days: 0, micros: 3_000_000n }],
  [new IntervalYearMonth(), Int32Array.of(14, 0), { kind: 'interval', months: 14, days: 0, micros: 0n }],
  [new IntervalDayTime(), Int32Array.of(2, -3, 0, 0), { kind: 'interval', months: 0, days: 2, micros: -3000n }],
  [new IntervalMonthDayNano(), Int32Array.of(1, 2, 5000, 0, 0, 0, 0, 0), { kind: 'interval', months: 1, days: 2, micros: 5n }],
  [new FixedSizeBinary(2), Uint8Array.of(1, 2, 0, 0), { kind: 'binary', value: Uint8Array.of(1, 2) }],
];

t.test('every scalar type is decoded exactly, and NULL stays NULL', async (t) => {
  for (const [type, data, expected] of FIXED) {
    t.strictSame(decodeParameterRows(column(type, data)), [[expected], [{ kind: 'null' }]], String(type));
  }
  t.strictSame(decodeParameterRows(upload({ n: makeData({ type: new Null(), length: 2 }) }, 2)), [[{ kind: 'null' }], [{ kind: 'null' }]]);
});

t.test('texts and bytes, 32 and 64 bit, by dictionary or not', async (t) => {
  const words = ['', 'süß 🛫', null];
  const texts = words.map((word) => [word === null ? { kind: 'null' } : { kind: 'text', value: word }]);
  for (const type of [new Utf8(), new LargeUtf8(), new Dictionary(new Utf8(), new Int32())]) {
    const vector = vectorFromArray(words, type as Utf8);
    t.strictSame(decodeParameterRows(upload({ s: vector.data[0] as never }, 3)), texts, String(type));
  }
  for (const type of [new Binary(), new LargeBinary()]) {
    const vector = vectorFromArray([Uint8Array.of(0, 255), null], type as Binary);
    t.strictSame(
      decodeParameterRows(upload({ b: vector.data[0] as never }, 2)),
      [[{ kind: 'binary', value: Uint8Array.of(0, 255) }], [{ kind: 'null' }]].map((row) =>
        row.map((value) => (value.kind === 'binary' ? { ...value, value: Buffer.from([0, 255]) } : value)),
      ),
    );
  }
});

t.test('no batches are no rows; several add up', async (t) => {
  const [schema, batch] = column(new Int32(), Int32Array.of(1, 0));
  if (!schema || !batch) {
    throw new Error('an upload has two messages');
  }
  t.same(decodeParameterRows([schema]), []);
  t.equal(decodeParameterRows([schema, batch, { dataHeader: new Uint8Array(0), dataBody: new Uint8Array(0) }, batch]).length, 4);
});

t.test('what cannot be bound is refused', async (t) => {
  const list = vectorFromArray([[1]], new List(new Field('l', new Int32(), true)));
  t.throws(() => decodeParameterRows(upload({ l: list.data[0] as never }, 1)), { code: 'invalid_argument', message: /"l"/ });
  const [schema, batch] = column(new Int32(), Int32Array.of(1, 0));
  t.throws(() => decodeParameterRows(batch ? [batch] : []), { code: 'invalid_argument', message: /schema/ });
  t.throws(() => decodeParameterRows([schema as UploadedFlightData, { ...(batch as UploadedFlightData), dataBody: new Uint8Array(3) }]), {
    code: 'invalid_argument',
  });
  t.throws(() => decodeParameterRows(column(new TimestampSecond(), BigInt64Array.of(2n ** 62n, 0n))), {
    code: 'invalid_argument',
    message: /range/,
  });
  const invalid = upload(
    { s: makeData({ type: new Utf8(), length: 1, valueOffsets: Int32Array.of(0, 1), data: Uint8Array.of(0xff) }) as never },
    1,
  );
  t.throws(() => decodeParameterRows(invalid), { code: 'invalid_argument', message: /UTF-8/ });
});

t.test('a promise of endless rows costs nothing', async (t) => {
  const [schema, batch] = upload({ n: makeData({ type: new Null(), length: 2 }) }, 2);
  const header = Buffer.from(batch?.dataHeader ?? []);
  const two = Buffer.alloc(8);
  two.writeBigInt64LE(2n);
  const endless = Buffer.alloc(8);
  endless.writeBigInt64LE(2n ** 50n);
  for (let at = header.indexOf(two); at >= 0; at = header.indexOf(two, at + 8)) {
    endless.copy(header, at);
  }
  t.throws(() => decodeParameterRows([schema as UploadedFlightData, { dataHeader: header, dataBody: new Uint8Array(0) }]), {
    code: 'resource_exhausted',
  });
});

t.test('damaged uploads are answers or refusals, never crashes', async (t) => {
  const table = tableFromArrays({ i: Int32Array.of(1, 2, 3), s: ['x', 'y', 'x'], f: Float64Array.of(1, 2, 3) });
  const writer = new RecordBatchStreamWriter();
  writer.write(table);
  writer.finish();
  const messages = messagesOf(writer.toUint8Array(true));
  t.equal(decodeParameterRows(messages).length, 3);
  const random = randomNumbers(12345);
  let refused = 0;
  for (let round = 0; round < 20_000; round++) {
    const damaged = damage(messages, random);
    try {
      decodeParameterRows(damaged);
    } catch (error) {
      if (!(error instanceof StatusError)) {
        throw error;
      }
      refused++;
    }
  }
  t.ok(refused > 1000, `${refused} refused`);
});

/** A linear congruential generator: the same damage in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

function damage(messages: readonly UploadedFlightData[], random: (below: number) => number): UploadedFlightData[] {
  const damaged = messages.map(({ dataHeader, dataBody }) => ({ dataHeader: Buffer.from(dataHeader), dataBody: Buffer.from(dataBody) }));
  const target = damaged[random(damaged.length)] ?? { dataHeader: Buffer.alloc(1), dataBody: Buffer.alloc(1) };
  for (let change = random(3); change >= 0; change--) {
    const bytes = random(4) > 0 || target.dataBody.length === 0 ? target.dataHeader : target.dataBody;
    bytes[random(bytes.length)] = random(3) === 0 ? 255 : random(256);
  }
  if (random(10) === 0) {
    target.dataHeader = target.dataHeader.subarray(0, random(target.dataHeader.length));
  }
  return damaged;
}
