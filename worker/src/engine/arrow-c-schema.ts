import { StatusError } from '@jetbridge/proto/status-error';
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  Interval,
  IntervalUnit,
  List,
  Map_,
  Null,
  Struct,
  TimeMicrosecond,
  TimeNanosecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Union,
  UnionMode,
  Utf8,
} from 'apache-arrow';
import type { Address } from './libduckdb.ts';
import { addressAt, type NativeReader } from './native-memory.ts';
import { ARROW_SCHEMA_BYTES } from './schema-export.ts';

/** How a column's C Data buffers are laid out, and thereby how they travel. */
export type ColumnLayout =
  | { readonly kind: 'null' }
  | { readonly kind: 'bits' }
  | { readonly kind: 'fixed'; readonly width: number }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'list'; readonly child: ColumnLayout }
  | { readonly kind: 'fixed_list'; readonly size: number; readonly child: ColumnLayout }
  | { readonly kind: 'struct'; readonly children: readonly ColumnLayout[] }
  | { readonly kind: 'sparse_union'; readonly children: readonly ColumnLayout[] }
  /** Indices into a list of texts; sent as plain text, because JDBC shows a dictionary's index instead of its value. */
  | { readonly kind: 'dictionary'; readonly width: 1 | 2 | 4 };

/** One column of an exported schema. */
export interface ExportedColumn {
  readonly field: Field;
  readonly layout: ColumnLayout;
}

const NULLABLE = 2;

/** Reads the columns of an exported `struct ArrowSchema` whose root is a struct. */
export function readExportedSchema(reader: NativeReader, schema: Address): ExportedColumn[] {
  const root = reader.copyOf(schema, ARROW_SCHEMA_BYTES);
  return readChildren(reader, new DataView(root.buffer));
}

function readChildren(reader: NativeReader, schema: DataView): ExportedColumn[] {
  const count = addressAt(schema, 32);
  return count === 0 ? [] : reader.addresses(addressAt(schema, 40), count).map((child) => readColumn(reader, child));
}

function readColumn(reader: NativeReader, address: Address): ExportedColumn {
  const schema = new DataView(reader.copyOf(address, ARROW_SCHEMA_BYTES).buffer);
  const format = reader.text(addressAt(schema, 0));
  const name = reader.text(addressAt(schema, 8));
  const nullable = (schema.getUint32(24, true) & NULLABLE) !== 0;
  const metadata = readMetadata(reader, addressAt(schema, 16));
  const children = readChildren(reader, schema);
  const column = addressAt(schema, 48) === 0 ? columnOf(format, children) : dictionaryOf(format);
  return { field: new Field(name, column.type, nullable, metadata), layout: column.layout };
}

interface TypedLayout {
  readonly type: DataType;
  readonly layout: ColumnLayout;
}

const FIXED: Readonly<Record<string, readonly [number, () => DataType]>> = {
  c: [1, () => new Int8()],
  C: [1, () => new Uint8()],
  s: [2, () => new Int16()],
  S: [2, () => new Uint16()],
  i: [4, () => new Int32()],
  I: [4, () => new Uint32()],
  l: [8, () => new Int64()],
  L: [8, () => new Uint64()],
  f: [4, () => new Float32()],
  g: [8, () => new Float64()],
  tdD: [4, () => new DateDay()],
  ttu: [8, () => new TimeMicrosecond()],
  ttn: [8, () => new TimeNanosecond()],
  tin: [16, () => new Interval(IntervalUnit.MONTH_DAY_NANO)],
};

function columnOf(format: string, children: readonly ExportedColumn[]): TypedLayout {
  const fixed = FIXED[format];
  if (fixed) {
    return { type: fixed[1](), layout: { kind: 'fixed', width: fixed[0] } };
  }
  switch (format) {
    case 'n':
      return { type: new Null(), layout: { kind: 'null' } };
    case 'b':
      return { type: new Bool(), layout: { kind: 'bits' } };
    case 'u':
      return { type: new Utf8(), layout: { kind: 'bytes' } };
    case 'z':
      return { type: new Binary(), layout: { kind: 'bytes' } };
    default:
      return format.startsWith('+') ? nestedOf(format, children) : parametricOf(format);
  }
}

function nestedOf(format: string, children: readonly ExportedColumn[]): TypedLayout {
  const first = children[0];
  const fields = children.map((child) => child.field);
  const layouts = children.map((child) => child.layout);
  if (format === '+s') {
    return { type: new Struct(fields), layout: { kind: 'struct', children: layouts } };
  }
  if (format.startsWith('+us:')) {
    const ids = format.slice(4).split(',').map(Number);
    return { type: new Union(UnionMode.Sparse, ids, fields), layout: { kind: 'sparse_union', children: layouts } };
  }
  if (first && format === '+l') {
    return { type: new List(first.field), layout: { kind: 'list', child: first.layout } };
  }
  if (first && format === '+m') {
    return { type: new Map_(first.field), layout: { kind: 'list', child: first.layout } };
  }
  if (first && format.startsWith('+w:')) {
    const size = Number(format.slice(3));
    return { type: new FixedSizeList(size, first.field), layout: { kind: 'fixed_list', size, child: first.layout } };
  }
  throw unsupported(format);
}

function parametricOf(format: string): TypedLayout {
  const [kind = '', parameters = ''] = [format.slice(0, format.indexOf(':')), format.slice(format.indexOf(':') + 1)];
  if (kind === 'd') {
    const [precision = 0, scale = 0, bits = 128] = parameters.split(',').map(Number);
    return { type: new Decimal(scale, precision, bits), layout: { kind: 'fixed', width: bits / 8 } };
  }
  if (kind === 'w') {
    return { type: new FixedSizeBinary(Number(parameters)), layout: { kind: 'fixed', width: Number(parameters) } };
  }
  const timestamp = { tss: TimestampSecond, tsm: TimestampMillisecond, tsu: TimestampMicrosecond, tsn: TimestampNanosecond }[kind];
  if (timestamp) {
    return { type: new timestamp(parameters === '' ? null : parameters), layout: { kind: 'fixed', width: 8 } };
  }
  throw unsupported(format);
}

function dictionaryOf(format: string): TypedLayout {
  const width = { C: 1, S: 2, I: 4 }[format] as 1 | 2 | 4 | undefined;
  if (width === undefined) {
    throw unsupported(format);
  }
  return { type: new Utf8(), layout: { kind: 'dictionary', width } };
}

function unsupported(format: string): StatusError {
  return new StatusError('unimplemented', `A column of Arrow format "${format}" cannot be sent; cast it to another type`);
}

/** The C data interface's binary key-value form: int32 count, then int32-length-prefixed keys and values. */
function readMetadata(reader: NativeReader, address: Address): Map<string, string> | undefined {
  if (address === 0) {
    return undefined;
  }
  const metadata = new Map<string, string>();
  let position = address + 4;
  const next = (): string => {
    const bytes = reader.int32(position);
    const text = reader.copyOf(position + 4, bytes).toString('utf8');
    position += 4 + bytes;
    return text;
  };
  for (let left = reader.int32(address); left > 0; left--) {
    const key = next();
    metadata.set(key, next());
  }
  return metadata;
}
