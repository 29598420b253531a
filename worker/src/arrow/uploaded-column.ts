import { StatusError } from '@jetbridge/proto/status-error';
import type { ParameterValue } from '../engine/engine.ts';
import type { UploadedBatch, UploadedField, UploadedType } from './uploaded-message.ts';
import { daysOfMilliseconds, durationValue, floatOfHalf, intervalValue, timestampValue, timeValue } from './uploaded-time.ts';

const NULL: ParameterValue = { kind: 'null' };
const NODE_WORDS = 2;

/** The values of one column by row. */
export type ColumnValues = (row: number) => ParameterValue;
/** Dictionaries received so far. */
export type Dictionaries = ReadonlyMap<bigint, { readonly rows: number; readonly values: ColumnValues }>;

/** Reads the columns of a batch; each buffer is checked against the body before it is read. */
export class UploadedColumns {
  readonly #batch: UploadedBatch;
  readonly #body: Uint8Array;
  readonly #rows: number;
  #node = 0;
  #buffer = 0;
  #views = 0;

  constructor(batch: UploadedBatch, body: Uint8Array, rows: number) {
    this.#batch = batch;
    this.#body = body;
    this.#rows = rows;
  }

  next(field: UploadedField, dictionaries: Dictionaries): ColumnValues {
    if (!field.dictionary) {
      return this.#column(field.type);
    }
    const indices = this.#column(field.dictionary.index);
    const dictionary = dictionaries.get(field.dictionary.id);
    return (row) => {
      const index = indices(row);
      if (index.kind !== 'integer') {
        return NULL;
      }
      if (!dictionary || index.value < 0n || index.value >= BigInt(dictionary.rows)) {
        throw malformed('an index points outside of its dictionary');
      }
      return dictionary.values(Number(index.value));
    };
  }

  #column(type: UploadedType): ColumnValues {
    const length = this.#batch.nodes[this.#node];
    const nulls = this.#batch.nodes[this.#node + 1];
    this.#node += NODE_WORDS;
    if (length !== BigInt(this.#rows) || nulls === undefined || nulls < 0n) {
      throw malformed('a column has another length than its batch');
    }
    if (type.kind === 'null') {
      return () => NULL;
    }
    const validity = this.#take();
    const values = this.#values(type);
    if (validity.length === 0) {
      if (nulls > 0n) {
        throw malformed('NULLs are counted but not marked');
      }
      return values;
    }
    requireBytes(validity, Math.ceil(this.#rows / 8));
    return (row) => ((((validity[row >> 3] ?? 0) >> (row & 7)) & 1) === 1 ? values(row) : NULL);
  }

  #values(type: UploadedType): ColumnValues {
    switch (type.kind) {
      case 'utf8':
      case 'binary':
      case 'large_utf8':
      case 'large_binary':
        return this.#variable(type.kind.startsWith('large') ? 8 : 4, type.kind.endsWith('utf8'));
      case 'utf8_view':
      case 'binary_view':
        return this.#viewed(type.kind === 'utf8_view');
      case 'bool': {
        const bits = requireBytes(this.#take(), Math.ceil(this.#rows / 8));
        return (row) => ({ kind: 'boolean', value: (((bits[row >> 3] ?? 0) >> (row & 7)) & 1) === 1 });
      }
      default:
        return this.#fixed(type);
    }
  }

  #fixed(type: UploadedType): ColumnValues {
    const width = widthOf(type);
    const bytes = requireBytes(this.#take(), this.#rows * width);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return (row) => fixedValue(type, view, row * width);
  }

  #variable(offsetBytes: 4 | 8, text: boolean): ColumnValues {
    const offsets = this.#take();
    const bytes = this.#take();
    if (this.#rows > 0) {
      requireBytes(offsets, (this.#rows + 1) * offsetBytes);
    }
    const view = new DataView(offsets.buffer, offsets.byteOffset, offsets.byteLength);
    const at = (i: number): number => (offsetBytes === 4 ? view.getInt32(i * 4, true) : Number(view.getBigInt64(i * 8, true)));
    return (row) => bytesValue(slice(bytes, at(row), at(row + 1)), text);
  }

  /** Arrow's view layout: length, then either 12 bytes in place, or a prefix, a buffer number and an offset. */
  #viewed(text: boolean): ColumnValues {
    const views = requireBytes(this.#take(), this.#rows * 16);
    const count = Number(this.#batch.viewBuffers[this.#views++] ?? 0n);
    if (count < 0 || count > this.#batch.buffers.length) {
      throw malformed('a view counts more buffers than there are');
    }
    const buffers = Array.from({ length: count }, () => this.#take());
    const view = new DataView(views.buffer, views.byteOffset, views.byteLength);
    return (row) => {
      const length = view.getInt32(row * 16, true);
      if (length <= 12) {
        return bytesValue(slice(views, row * 16 + 4, row * 16 + 4 + length), text);
      }
      const buffer = buffers[view.getInt32(row * 16 + 8, true)];
      if (!buffer) {
        throw malformed('a view names a buffer that is not there');
      }
      const start = view.getInt32(row * 16 + 12, true);
      return bytesValue(slice(buffer, start, start + length), text);
    };
  }

  #take(): Uint8Array {
    const offset = this.#batch.buffers[this.#buffer];
    const length = this.#batch.buffers[this.#buffer + 1];
    this.#buffer += 2;
    if (offset === undefined || length === undefined) {
      throw malformed('buffers are missing');
    }
    return slice(this.#body, Number(offset), Number(offset + length));
  }
}

function widthOf(type: UploadedType): number {
  switch (type.kind) {
    case 'int':
    case 'float':
    case 'decimal':
    case 'time':
      if (![8, 16, 32, 64, 128, 256].includes(type.bits)) {
        break;
      }
      return type.bits / 8;
    case 'date':
      return type.milliseconds ? 8 : 4;
    case 'timestamp':
    case 'duration':
      return 8;
    case 'interval':
      return { year_month: 4, day_time: 8, month_day_nano: 16 }[type.unit];
    case 'fixed_binary':
      if (type.width < 0) {
        break;
      }
      return type.width;
    default:
      break;
  }
  throw malformed('a type has an impossible width');
}

function fixedValue(type: UploadedType, view: DataView, at: number): ParameterValue {
  switch (type.kind) {
    case 'int':
      return { kind: 'integer', value: integerAt(view, at, type.bits, type.signed) };
    case 'decimal':
      return { kind: 'decimal', unscaled: integerAt(view, at, type.bits, true), precision: type.precision, scale: type.scale };
    case 'float':
      return { kind: 'double', value: floatAt(view, at, type.bits) };
    case 'date':
      return { kind: 'date', days: type.milliseconds ? daysOfMilliseconds(view.getBigInt64(at, true)) : view.getInt32(at, true) };
    case 'time':
      return timeValue(integerAt(view, at, type.bits, true), type.unit);
    case 'timestamp':
      return timestampValue(view.getBigInt64(at, true), type.unit, type.zoned);
    case 'duration':
      return durationValue(view.getBigInt64(at, true), type.unit);
    case 'interval':
      return intervalValue(view, at, type.unit);
    case 'fixed_binary':
      return { kind: 'binary', value: new Uint8Array(view.buffer, view.byteOffset + at, type.width) };
    default:
      throw malformed('a type is not what it was');
  }
}

function floatAt(view: DataView, at: number, bits: 16 | 32 | 64): number {
  if (bits === 64) {
    return view.getFloat64(at, true);
  }
  return bits === 32 ? view.getFloat32(at, true) : floatOfHalf(view.getUint16(at, true));
}

function integerAt(view: DataView, at: number, bits: number, signed: boolean): bigint {
  let value = 0n;
  for (let byte = bits / 8 - 1; byte >= 0; byte--) {
    value = (value << 8n) | BigInt(view.getUint8(at + byte));
  }
  return signed ? BigInt.asIntN(bits, value) : value;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function bytesValue(bytes: Uint8Array, text: boolean): ParameterValue {
  if (!text) {
    return { kind: 'binary', value: bytes };
  }
  try {
    return { kind: 'text', value: UTF8.decode(bytes) };
  } catch {
    throw malformed('a text is not UTF-8');
  }
}

function slice(bytes: Uint8Array, start: number, end: number): Uint8Array {
  if (!(start >= 0 && start <= end && end <= bytes.length)) {
    throw malformed('a buffer or an offset lies outside of the message');
  }
  return bytes.subarray(start, end);
}

function requireBytes(bytes: Uint8Array, needed: number): Uint8Array {
  if (bytes.length < needed) {
    throw malformed('a buffer is shorter than its rows');
  }
  return bytes;
}

function malformed(detail: string): StatusError {
  return new StatusError('invalid_argument', `The uploaded Arrow data is malformed: ${detail}`);
}
