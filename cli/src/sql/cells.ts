import { isAscii } from 'node:buffer';
import { StatusError } from '@jetbridge/proto/status-error';
import { type Data, type DataType, type Field, type RecordBatch, type Schema, Type } from 'apache-arrow';
import { dateText, decimalText, intervalText, timestampText, timeText } from './scalars.ts';

/** One column of one batch, printed straight from Arrow's buffers: no value passes through a JavaScript number that cannot hold it. */
export interface Cells {
  isNull(row: number): boolean;
  /** The value as text, unquoted. Only for rows that are not NULL. */
  text(row: number): string;
  /** The value as JSON, NULL included. */
  json(row: number): string;
  /** Numbers are aligned to the right. */
  readonly isNumber: boolean;
}

export function cellsOf(batch: RecordBatch): readonly Cells[] {
  return batch.data.children.map((data) => readCells(data));
}

/** Refuses a schema with a type this client cannot print, before the first row. */
export function requirePrintable(schema: Schema): void {
  for (const { name, type } of schema.fields) {
    const unknown = unprintable(type);
    if (unknown !== undefined) {
      throw new StatusError(
        'unimplemented',
        `column ${name} has the Arrow type ${unknown}, which cannot be shown as text; use --format arrow`,
      );
    }
  }
}

type Print = (row: number) => string;
type Scalar = (data: Data) => Print;

/** Any of Arrow's typed buffers, read by index. */
type Numbers = { readonly [index: number]: number | bigint; readonly length: number };

/** 64-bit and smaller integers alike: JavaScript prints both number and bigint exactly. */
const integer: Scalar = (data) => {
  const values = data.values as Numbers;
  return (row) => String(values[row]);
};

const float: Scalar = (data) => {
  const values = data.values as Numbers;
  const narrow = data.values instanceof Float32Array;
  return (row) => floatText(Number(values[row]), narrow);
};

/** ASCII, the common case, is decoded once for the whole column; slices of it cost next to nothing. */
const utf8: Scalar = (data) => {
  const offsets = data.valueOffsets as unknown as Numbers;
  const { buffer, byteOffset, byteLength } = data.values as Uint8Array;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  if (isAscii(bytes)) {
    const text = bytes.toString('latin1');
    return (row) => text.slice(Number(offsets[row]), Number(offsets[row + 1]));
  }
  return (row) => bytes.toString('utf8', Number(offsets[row]), Number(offsets[row + 1]));
};

const binary: Scalar = (data) => {
  const slice = variableBytes(data);
  return (row) => blobText(slice(row));
};

const fixedBinary: Scalar = (data) => {
  const { byteWidth } = data.type as DataType & { readonly byteWidth: number };
  const bytes = data.values as Uint8Array;
  return (row) => blobText(bytes.subarray(row * byteWidth, (row + 1) * byteWidth));
};

const boolean: Scalar = (data) => {
  const bits = data.values as Uint8Array;
  return (row) => {
    const bit = row + data.offset;
    return ((bits[bit >> 3] ?? 0) >> (bit & 7)) & 1 ? 'true' : 'false';
  };
};

const SCALARS: ReadonlyMap<Type, Scalar> = new Map([
  [Type.Null, () => () => ''],
  [Type.Int, integer],
  [Type.Float, float],
  [Type.Bool, boolean],
  [Type.Utf8, utf8],
  [Type.LargeUtf8, utf8],
  [Type.Binary, binary],
  [Type.LargeBinary, binary],
  [Type.FixedSizeBinary, fixedBinary],
  [Type.Decimal, decimalText],
  [Type.Date, dateText],
  [Type.Time, timeText],
  [Type.Timestamp, timestampText],
  [Type.Interval, intervalText],
  [Type.Duration, integer],
] as const);

const NESTED: ReadonlyMap<Type, (data: Data) => Print> = new Map([
  [Type.List, listJson],
  [Type.LargeList, listJson],
  [Type.FixedSizeList, fixedListJson],
  [Type.Struct, structJson],
  [Type.Map, mapJson],
] as const);

// Text that JSON writes as it is; most is, and the test is cheaper than an escape.
const PLAIN_JSON = /^[ !#-[\]-~]*$/;

const NUMBERS: ReadonlySet<Type> = new Set([Type.Int, Type.Float, Type.Decimal]);

function unprintable(type: DataType): string | undefined {
  if (type.typeId === Type.Dictionary) {
    return unprintable((type as DataType & { readonly dictionary: DataType }).dictionary);
  }
  if (!SCALARS.has(type.typeId) && !NESTED.has(type.typeId) && type.typeId !== Type.Union) {
    return String(type);
  }
  for (const child of (type.children ?? []) as readonly Field[]) {
    const unknown = unprintable(child.type);
    if (unknown !== undefined) {
      return unknown;
    }
  }
  return undefined;
}

function readCells(data: Data): Cells {
  const { typeId } = data.type as DataType;
  if (typeId === Type.Dictionary) {
    return dictionaryCells(data);
  }
  if (typeId === Type.Union) {
    return unionCells(data);
  }
  const isNull = nullTest(data);
  const nested = NESTED.get(typeId);
  if (nested !== undefined) {
    const print = nested(data);
    return { isNull, text: print, json: (row) => (isNull(row) ? 'null' : print(row)), isNumber: false };
  }
  const scalar = SCALARS.get(typeId);
  if (scalar === undefined) {
    throw new StatusError('unimplemented', `the Arrow type ${String(data.type)} cannot be shown as text; use --format arrow`);
  }
  const print = scalar(data);
  return { isNull, text: print, json: (row) => (isNull(row) ? 'null' : scalarJson(typeId, print(row))), isNumber: NUMBERS.has(typeId) };
}

function nullTest(data: Data): (row: number) => boolean {
  if ((data.type as DataType).typeId === Type.Null) {
    return () => true;
  }
  return data.nullCount === 0 ? () => false : (row) => !data.getValid(row);
}

/** Numbers keep every digit; what JSON has no number for (NaN, infinities) becomes text. */
function scalarJson(typeId: Type, text: string): string {
  const bare = typeId === Type.Bool || (NUMBERS.has(typeId) && /\d$/.test(text));
  if (bare) {
    return text;
  }
  return PLAIN_JSON.test(text) ? `"${text}"` : JSON.stringify(text);
}

function dictionaryCells(data: Data): Cells {
  const chunks = data.dictionary?.data.map((chunk) => ({ length: chunk.length, cells: readCells(chunk) })) ?? [];
  const indices = data.values as Numbers;
  const at = (row: number): { readonly cells: Cells; readonly row: number } => {
    let index = Number(indices[row]);
    for (const { length, cells } of chunks) {
      if (index < length) {
        return { cells, row: index };
      }
      index -= length;
    }
    throw new StatusError('data_loss', 'a result refers to a dictionary entry it did not send');
  };
  const isNull = (row: number): boolean => !data.getValid(row) || at(row).cells.isNull(at(row).row);
  return {
    isNull,
    text: (row) => at(row).cells.text(at(row).row),
    json: (row) => (isNull(row) ? 'null' : at(row).cells.json(at(row).row)),
    isNumber: chunks[0]?.cells.isNumber ?? false,
  };
}

/** The value alone, without the name of its member, as DuckDB prints it. */
function unionCells(data: Data): Cells {
  const { mode, typeIdToChildIndex } = data.type as DataType & {
    readonly mode: number;
    readonly typeIdToChildIndex: Readonly<Record<number, number>>;
  };
  const members = data.children.map((child) => readCells(child));
  const ids = data.typeIds as unknown as Int8Array;
  const offsets = data.valueOffsets as Int32Array | undefined;
  const dense = mode === 1;
  const memberOf = (row: number): Cells | undefined => members[typeIdToChildIndex[ids[row] ?? 0] ?? -1];
  const indexOf = (row: number): number => (dense ? (offsets?.[row] ?? 0) : row);
  return {
    isNull: (row) => memberOf(row)?.isNull(indexOf(row)) ?? true,
    text: (row) => memberOf(row)?.text(indexOf(row)) ?? '',
    json: (row) => memberOf(row)?.json(indexOf(row)) ?? 'null',
    isNumber: false,
  };
}

function listJson(data: Data): Print {
  const offsets = data.valueOffsets as unknown as Numbers;
  const items = childCells(data, 0);
  return (row) => arrayJson(items, Number(offsets[row]), Number(offsets[row + 1]));
}

function fixedListJson(data: Data): Print {
  const { listSize } = data.type as DataType & { readonly listSize: number };
  const items = childCells(data, 0);
  return (row) => arrayJson(items, row * listSize, (row + 1) * listSize);
}

function structJson(data: Data): Print {
  const members = data.children.map((child, i) => ({ key: JSON.stringify(fieldsOf(data)[i]?.name ?? String(i)), cells: readCells(child) }));
  return (row) => `{${members.map(({ key, cells }) => `${key}:${cells.json(row)}`).join(',')}}`;
}

/** Keys of a JSON object are text, whatever type the keys of the map have. */
function mapJson(data: Data): Print {
  const offsets = data.valueOffsets as unknown as Numbers;
  const [entries] = data.children;
  const keys = entries === undefined ? undefined : childCells(entries, 0);
  const values = entries === undefined ? undefined : childCells(entries, 1);
  return (row) => {
    const members: string[] = [];
    for (let i = Number(offsets[row]); i < Number(offsets[row + 1]); i += 1) {
      members.push(`${JSON.stringify(keys?.text(i) ?? '')}:${values?.json(i) ?? 'null'}`);
    }
    return `{${members.join(',')}}`;
  };
}

function childCells(data: Data, index: number): Cells {
  const child = data.children[index];
  if (child === undefined) {
    throw new StatusError('data_loss', 'a nested column of the result has no values');
  }
  return readCells(child);
}

function arrayJson(items: Cells, from: number, to: number): string {
  const parts: string[] = [];
  for (let i = from; i < to; i += 1) {
    parts.push(items.json(i));
  }
  return `[${parts.join(',')}]`;
}

function fieldsOf(data: Data): readonly Field[] {
  return (data.type as DataType).children as readonly Field[];
}

function variableBytes(data: Data): (row: number) => Uint8Array {
  const offsets = data.valueOffsets as unknown as Numbers;
  const bytes = data.values as Uint8Array;
  return (row) => bytes.subarray(Number(offsets[row]), Number(offsets[row + 1]));
}

/** The fewest digits that read back as the same value of the same width. */
function floatText(value: number, narrow: boolean): string {
  if (Number.isNaN(value)) {
    return 'NaN';
  }
  if (!Number.isFinite(value)) {
    return value > 0 ? 'Infinity' : '-Infinity';
  }
  if (Object.is(value, -0)) {
    return '-0';
  }
  return narrow ? narrowText(value) : String(value);
}

function narrowText(value: number): string {
  for (let digits = 6; digits < 9; digits += 1) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value) {
      return String(text);
    }
  }
  return String(Number(value.toPrecision(9)));
}

/** Printable ASCII as it is, other bytes as `\xHH`, as DuckDB prints a BLOB. */
function blobText(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    text +=
      byte >= 0x20 && byte < 0x7f && byte !== 0x5c ? String.fromCharCode(byte) : `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}
