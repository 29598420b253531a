import { StatusError } from '@jetbridge/proto/status-error';
import { PARAMETER_COLUMNS_MAX } from '../engine/engine-limits.ts';
import { FlatTable } from './flatbuffer-table.ts';

/** Arrow types that a parameter may have, as Schema.fbs numbers and parameterizes them. */
export type UploadedType =
  | { readonly kind: 'null' | 'bool' | 'binary' | 'utf8' | 'large_binary' | 'large_utf8' | 'binary_view' | 'utf8_view' }
  | { readonly kind: 'int'; readonly bits: number; readonly signed: boolean }
  | { readonly kind: 'float'; readonly bits: 16 | 32 | 64 }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number; readonly bits: number }
  | { readonly kind: 'date'; readonly milliseconds: boolean }
  | { readonly kind: 'time' | 'duration'; readonly unit: TimeUnit; readonly bits: number }
  | { readonly kind: 'timestamp'; readonly unit: TimeUnit; readonly zoned: boolean }
  | { readonly kind: 'interval'; readonly unit: 'year_month' | 'day_time' | 'month_day_nano' }
  | { readonly kind: 'fixed_binary'; readonly width: number };

export type TimeUnit = 'second' | 'millisecond' | 'microsecond' | 'nanosecond';

export interface UploadedField {
  readonly name: string;
  readonly type: UploadedType;
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
      throw new StatusError('invalid_argument', 'Parameters must be sent as an Arrow schema followed by record batches');
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
  if (schema.vectorLength(1) > PARAMETER_COLUMNS_MAX) {
    throw new StatusError('invalid_argument', 'Too many parameter columns');
  }
  return schema.tables(1).map(readField);
}

function readField(field: FlatTable): UploadedField {
  const name = field.text(0);
  const type = readType(name, field);
  const dictionary = field.table(4);
  if (!dictionary) {
    return { name, type, dictionary: undefined };
  }
  const index = dictionary.table(1);
  const indexType: UploadedType = index
    ? { kind: 'int', bits: index.int32(0, 0), signed: index.uint8(1, 0) !== 0 }
    : { kind: 'int', bits: 32, signed: true };
  return { name, type, dictionary: { id: dictionary.int64(0), index: indexType } };
}

const UNITS: readonly TimeUnit[] = ['second', 'millisecond', 'microsecond', 'nanosecond'];
const INTERVALS = ['year_month', 'day_time', 'month_day_nano'] as const;
const FLOAT_BITS = [16, 32, 64] as const;

function readType(name: string, field: FlatTable): UploadedType {
  const number = field.uint8(2, 0);
  const type = field.table(3);
  const read = TYPES[number];
  const found = type && read?.(type);
  if (!found) {
    throw new StatusError(
      'invalid_argument',
      `Parameter column "${name}" has an Arrow type (number ${number}) that cannot be bound; use a scalar type`,
    );
  }
  return found;
}

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
  15: (type) => ({ kind: 'fixed_binary', width: type.int32(0, 0) }),
  18: (type) => ofList(UNITS, type.int16(0, 1), (unit) => ({ kind: 'duration', unit, bits: 64 })),
  19: () => ({ kind: 'large_binary' }),
  20: () => ({ kind: 'large_utf8' }),
  23: () => ({ kind: 'binary_view' }),
  24: () => ({ kind: 'utf8_view' }),
};

function ofList<T>(list: readonly T[], index: number, make: (item: T) => UploadedType): UploadedType | undefined {
  const item = list[index];
  return item === undefined ? undefined : make(item);
}
