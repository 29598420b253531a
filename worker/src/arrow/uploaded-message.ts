import { StatusError } from '@jetbridge/proto/status-error';
import { UPLOADED_DEPTH_MAX, UPLOADED_FIELDS_MAX } from '../engine/engine-limits.ts';
import { FlatTable } from './flatbuffer-table.ts';

/** Arrow types, as Schema.fbs numbers and parameterizes them. */
export type UploadedType =
  | { readonly kind: 'null' | 'bool' | 'binary' | 'utf8' | 'large_binary' | 'large_utf8' | 'binary_view' | 'utf8_view' }
  | { readonly kind: 'int'; readonly bits: number; readonly signed: boolean }
  | { readonly kind: 'float'; readonly bits: 16 | 32 | 64 }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number; readonly bits: number }
  | { readonly kind: 'date'; readonly milliseconds: boolean }
  | { readonly kind: 'time' | 'duration'; readonly unit: TimeUnit; readonly bits: number }
  | { readonly kind: 'timestamp'; readonly unit: TimeUnit; readonly zoned: boolean }
  | { readonly kind: 'interval'; readonly unit: 'year_month' | 'day_time' | 'month_day_nano' }
  | { readonly kind: 'fixed_binary'; readonly width: number }
  | { readonly kind: 'list' | 'large_list' | 'struct' | 'map' }
  | { readonly kind: 'fixed_list'; readonly size: number }
  /** Unions, run ends, list views and whatever Arrow may add: for the reader to refuse. */
  | { readonly kind: 'unknown' };

export type TimeUnit = 'second' | 'millisecond' | 'microsecond' | 'nanosecond';

export interface UploadedField {
  readonly name: string;
  readonly type: UploadedType;
  readonly typeNumber: number;
  readonly children: readonly UploadedField[];
  readonly dictionary: { readonly id: bigint; readonly index: UploadedType } | undefined;
}

/** A batch as described; nothing of the body has been looked at. */
export interface UploadedBatch {
  readonly rows: bigint;
  /** (length, null count) of each node. */
  readonly nodes: readonly bigint[];
  /** (offset, length) of each buffer. */
  readonly buffers: readonly bigint[];
  readonly viewBuffers: readonly bigint[];
}

export type UploadedMessage =
  | { readonly kind: 'schema'; readonly fields: readonly UploadedField[] }
  | { readonly kind: 'dictionary'; readonly id: bigint; readonly delta: boolean; readonly batch: UploadedBatch }
  | { readonly kind: 'batch'; readonly batch: UploadedBatch };

/** Reads a `Message` flatbuffer (Message.fbs). Throws RangeError where it is no flatbuffer, StatusError where it is one we refuse. */
export function readUploadedMessage(header: Uint8Array): UploadedMessage {
  const message = FlatTable.root(header);
  const body = message.table(2);
  if (!body) {
    throw new StatusError('invalid_argument', 'An Arrow message without a header was sent');
  }
  switch (message.uint8(1, 0)) {
    case 1:
      return { kind: 'schema', fields: readFields(body) };
    case 2: {
      const values = body.table(1);
      if (!values) {
        throw new StatusError('invalid_argument', 'A dictionary batch without data was sent');
      }
      return { kind: 'dictionary', id: body.int64(0), delta: body.uint8(2, 0) !== 0, batch: readBatch(values) };
    }
    case 3:
      return { kind: 'batch', batch: readBatch(body) };
    default:
      throw new StatusError('invalid_argument', 'Rows must be sent as an Arrow schema followed by record batches');
  }
}

function readBatch(batch: FlatTable): UploadedBatch {
  if (batch.has(3)) {
    throw new StatusError('unimplemented', 'Compressed Arrow buffers are not supported; send them uncompressed');
  }
  return { rows: batch.int64(0), nodes: batch.words(1, 2), buffers: batch.words(2, 2), viewBuffers: batch.words(4, 1) };
}

function readFields(schema: FlatTable): UploadedField[] {
  if (schema.int16(0, 0) !== 0) {
    throw new StatusError('unimplemented', 'Big-endian Arrow data is not supported');
  }
  return readChildren(schema, 1, { fields: 0 }, 0);
}

// Flatbuffers may share tables, so that a short message can describe more fields than memory holds: all are counted.
function readChildren(parent: FlatTable, vector: number, total: { fields: number }, depth: number): UploadedField[] {
  total.fields += parent.vectorLength(vector);
  if (total.fields > UPLOADED_FIELDS_MAX || depth > UPLOADED_DEPTH_MAX) {
    throw new StatusError('invalid_argument', 'The uploaded Arrow schema has too many fields or is nested too deep');
  }
  return parent.tables(vector).map((field) => readField(field, total, depth));
}

function readField(field: FlatTable, total: { fields: number }, depth: number): UploadedField {
  const name = field.text(0);
  const typeNumber = field.uint8(2, 0);
  const table = field.table(3);
  const type = (table && TYPES[typeNumber]?.(table)) ?? { kind: 'unknown' };
  const children = readChildren(field, 5, total, depth + 1);
  const dictionary = field.table(4);
  if (!dictionary) {
    return { name, type, typeNumber, children, dictionary: undefined };
  }
  const index = dictionary.table(1);
  const indexType: UploadedType = index
    ? { kind: 'int', bits: index.int32(0, 0), signed: index.uint8(1, 0) !== 0 }
    : { kind: 'int', bits: 32, signed: true };
  return { name, type, typeNumber, children, dictionary: { id: dictionary.int64(0), index: indexType } };
}

const UNITS: readonly TimeUnit[] = ['second', 'millisecond', 'microsecond', 'nanosecond'];
const INTERVALS = ['year_month', 'day_time', 'month_day_nano'] as const;
const FLOAT_BITS = [16, 32, 64] as const;

const TYPES: Readonly<Record<number, (type: FlatTable) => UploadedType | undefined>> = {
  1: () => ({ kind: 'null' }),
  2: (type) => ({ kind: 'int', bits: type.int32(0, 0), signed: type.uint8(1, 0) !== 0 }),
  3: (type) => ofList(FLOAT_BITS, type.int16(0, 0), (bits) => ({ kind: 'float', bits })),
  4: () => ({ kind: 'binary' }),
  5: () => ({ kind: 'utf8' }),
  6: () => ({ kind: 'bool' }),
  7: (type) => ({ kind: 'decimal', precision: type.int32(0, 0), scale: type.int32(1, 0), bits: type.int32(2, 128) }),
  8: (type) => ({ kind: 'date', milliseconds: type.int16(0, 1) === 1 }),
  9: (type) => ofList(UNITS, type.int16(0, 1), (unit) => ({ kind: 'time', unit, bits: type.int32(1, 32) })),
  10: (type) => ofList(UNITS, type.int16(0, 0), (unit) => ({ kind: 'timestamp', unit, zoned: type.text(1) !== '' })),
  11: (type) => ofList(INTERVALS, type.int16(0, 0), (unit) => ({ kind: 'interval', unit })),
  12: () => ({ kind: 'list' }),
  13: () => ({ kind: 'struct' }),
  15: (type) => ({ kind: 'fixed_binary', width: type.int32(0, 0) }),
  16: (type) => ({ kind: 'fixed_list', size: type.int32(0, 0) }),
  17: () => ({ kind: 'map' }),
  18: (type) => ofList(UNITS, type.int16(0, 1), (unit) => ({ kind: 'duration', unit, bits: 64 })),
  19: () => ({ kind: 'large_binary' }),
  20: () => ({ kind: 'large_utf8' }),
  21: () => ({ kind: 'large_list' }),
  23: () => ({ kind: 'binary_view' }),
  24: () => ({ kind: 'utf8_view' }),
};

function ofList<T>(list: readonly T[], index: number, make: (item: T) => UploadedType): UploadedType | undefined {
  const item = list[index];
  return item === undefined ? undefined : make(item);
}
