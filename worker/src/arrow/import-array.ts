import { countZeros, isSet, zeroUnset } from '../engine/bitmap.ts';
import { INGEST_BATCH_BYTES_MAX, INGEST_BATCH_VALUES_MAX } from '../engine/engine-limits.ts';
import { malformed, tooLarge } from './import-error.ts';
import type { ImportColumn } from './import-type.ts';
import { checkFixed, checkIndices, checkOffsets, checkTexts, checkViews, daysOf, indicesOf, words32 } from './import-values.ts';
import type { UploadedBatch } from './uploaded-message.ts';

/** DuckDB reads up to a byte beyond a bitmap and a value beyond a dictionary. */
const PADDING_BYTES = 64;

/** A column that was checked to its last value: native code may follow whatever it says. */
export interface ImportedArray {
  readonly column: ImportColumn;
  readonly length: number;
  /** Undefined where no value is NULL. */
  readonly validity: Uint8Array | undefined;
  /** Those behind the validity, 8-aligned where their values are wider than a byte. */
  readonly buffers: readonly Uint8Array[];
  readonly children: readonly ImportedArray[];
  readonly dictionary: ImportedArray | undefined;
}

export interface ImportedBatch {
  readonly rows: number;
  readonly columns: readonly ImportedArray[];
  /** What its values take, dictionaries and views spelled out. */
  readonly bytes: number;
}

export type ImportDictionaries = ReadonlyMap<bigint, ImportedArray>;

/** Checks the values of a dictionary. */
export function importDictionary(
  values: ImportColumn,
  batch: UploadedBatch,
  body: Uint8Array,
): { readonly array: ImportedArray; readonly bytes: number } {
  const reader = new BatchReader(batch, body, new Map());
  const array = reader.next(values, reader.rows, 'equal');
  return { array, bytes: reader.bytes };
}

/** Checks a batch and copies its body once, so that nobody else has hold of what native code reads. */
export function importBatch(
  columns: readonly ImportColumn[],
  batch: UploadedBatch,
  body: Uint8Array,
  dictionaries: ImportDictionaries,
): ImportedBatch {
  const reader = new BatchReader(batch, body, dictionaries);
  const rows = reader.rows;
  const arrays = columns.map((column) => reader.next(column, rows, 'equal'));
  return { rows, columns: arrays, bytes: reader.bytes };
}

class BatchReader {
  readonly rows: number;
  readonly #batch: UploadedBatch;
  readonly #body: Uint8Array;
  readonly #dictionaries: ImportDictionaries;
  #node = 0;
  #buffer = 0;
  #views = 0;
  #values = 0;
  #spelledOut = 0;

  constructor(batch: UploadedBatch, body: Uint8Array, dictionaries: ImportDictionaries) {
    this.rows = lengthOf(batch.rows);
    this.#batch = batch;
    this.#body = copyOf(body);
    this.#dictionaries = dictionaries;
  }

  get bytes(): number {
    return this.#spelledOut;
  }

  /** The next column in depth-first order. Children may be longer than their parents need, columns not. */
  next(column: ImportColumn, needed: number, fit: 'equal' | 'at_least'): ImportedArray {
    const length = lengthOf(this.#batch.nodes[this.#node]);
    const nulls = this.#batch.nodes[this.#node + 1] ?? -1n;
    this.#node += 2;
    if (length < needed || (fit === 'equal' && length !== needed) || nulls < 0n || nulls > BigInt(length)) {
      throw malformed('a column has another length than its rows');
    }
    this.#values += length;
    if (this.#values > INGEST_BATCH_VALUES_MAX) {
      throw tooLarge(`${INGEST_BATCH_VALUES_MAX} values`);
    }
    const base = { column, length, children: [], dictionary: undefined };
    if (column.layout.kind === 'null') {
      return { ...base, validity: undefined, buffers: [] };
    }
    const validity = this.#validity(length, nulls);
    return column.dictionary === undefined
      ? { ...base, validity, ...this.#content(column, length, validity) }
      : { ...base, validity, ...this.#indices(column, column.dictionary, length, validity) };
  }

  #validity(length: number, nulls: bigint): Uint8Array | undefined {
    const bits = this.#take(1);
    if (nulls === 0n) {
      return undefined;
    }
    return requireBytes(bits, Math.ceil(length / 8));
  }

  #content(column: ImportColumn, length: number, validity: Uint8Array | undefined): Pick<ImportedArray, 'buffers' | 'children'> {
    const { layout } = column;
    const [child] = column.children;
    switch (layout.kind) {
      case 'bits':
        return { buffers: [requireBytes(this.#take(1), Math.ceil(length / 8))], children: [] };
      case 'fixed': {
        const sent = this.#fixed(length, layout.width);
        const bytes = layout.values.kind === 'any' ? sent : withoutNulls(sent, layout.width, validity, length);
        checkFixed(layout.values, bytes);
        return { buffers: [layout.values.kind === 'day_milliseconds' ? daysOf(bytes, PADDING_BYTES) : bytes], children: [] };
      }
      case 'bytes':
        return { buffers: this.#texts(layout.offsetBytes, layout.text, length), children: [] };
      case 'views':
        return { buffers: this.#viewed(layout.text, length, validity), children: [] };
      case 'struct':
        return { buffers: [], children: column.children.map((member) => this.next(member, length, 'at_least')) };
      case 'fixed_list':
        return { buffers: [], children: child === undefined ? [] : [this.next(child, length * layout.size, 'at_least')] };
      case 'list': {
        const offsets = this.#offsets(layout.offsetBytes, length);
        const { last } = checkOffsets(offsets, layout.offsetBytes, Number.MAX_SAFE_INTEGER);
        return { buffers: [offsets], children: child === undefined ? [] : [this.next(child, last, 'at_least')] };
      }
      default:
        return { buffers: [], children: [] };
    }
  }

  #fixed(length: number, width: number): Uint8Array {
    return requireBytes(this.#take(8), length * width).subarray(0, length * width);
  }

  // An array without rows may come without offsets.
  #offsets(offsetBytes: 4 | 8, length: number): Uint8Array {
    const offsets = this.#take(8);
    if (length === 0) {
      return new Uint8Array(new ArrayBuffer(offsetBytes + PADDING_BYTES), 0, offsetBytes);
    }
    return requireBytes(offsets, (length + 1) * offsetBytes).subarray(0, (length + 1) * offsetBytes);
  }

  #texts(offsetBytes: 4 | 8, text: boolean, length: number): Uint8Array[] {
    const offsets = this.#offsets(offsetBytes, length);
    const bytes = this.#take(1);
    const { first, last } = checkOffsets(offsets, offsetBytes, bytes.length);
    if (text) {
      checkTexts(offsets, offsetBytes, bytes, first, last);
    }
    return [offsets, bytes];
  }

  #viewed(text: boolean, length: number, validity: Uint8Array | undefined): Uint8Array[] {
    const views = withoutNulls(this.#fixed(length, 16), 16, validity, length);
    const count = lengthOf(this.#batch.viewBuffers[this.#views++]);
    if (count > this.#batch.buffers.length) {
      throw malformed('a view counts more buffers than there are');
    }
    const buffers = Array.from({ length: count }, () => this.#take(1));
    this.#spellOut(checkViews(views, buffers, text));
    return [views, ...buffers];
  }

  #indices(
    column: ImportColumn,
    { id, signed }: NonNullable<ImportColumn['dictionary']>,
    length: number,
    validity: Uint8Array | undefined,
  ): Pick<ImportedArray, 'buffers' | 'dictionary'> {
    const width = column.layout.kind === 'fixed' ? column.layout.width : 0;
    const indices = withoutNulls(this.#fixed(length, width), width, validity, length);
    const dictionary = this.#dictionaries.get(id);
    if (dictionary === undefined) {
      throw malformed('a column uses a dictionary that was not sent');
    }
    const allNull = length === 0 || (validity !== undefined && countZeros(validity, 0, length) === length);
    checkIndices(indices, width, signed, allNull ? 1 : dictionary.length);
    if (!allNull) {
      this.#spellOut(bytesNamed(indices, width, dictionary, validity));
    }
    return { buffers: [indices], dictionary };
  }

  #spellOut(bytes: number): void {
    this.#spelledOut += bytes;
    if (this.#spelledOut > INGEST_BATCH_BYTES_MAX) {
      throw tooLarge(`${INGEST_BATCH_BYTES_MAX} bytes with its dictionaries and views spelled out`);
    }
  }

  #take(alignment: 1 | 8): Uint8Array {
    const offset = Number(this.#batch.buffers[this.#buffer] ?? -1n);
    const length = Number(this.#batch.buffers[this.#buffer + 1] ?? -1n);
    this.#buffer += 2;
    if (!(offset >= 0 && length >= 0 && offset + length <= this.#body.length)) {
      throw malformed('a buffer is missing or lies outside of the message');
    }
    if (length > 0 && offset % alignment !== 0) {
      throw malformed('a buffer does not begin at a multiple of eight bytes');
    }
    this.#spellOut(length);
    return length === 0 ? this.#body.subarray(0, 0) : this.#body.subarray(offset, offset + length);
  }
}

/** In memory that nothing else refers to: buffers of a hostile message may overlap, and what was checked must not change. */
function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new ArrayBuffer(bytes.length + PADDING_BYTES), 0, bytes.length);
  copy.set(bytes);
  return copy;
}

/** The same values with zero where they are NULL: there, writers may leave anything. */
function withoutNulls(bytes: Uint8Array, width: number, validity: Uint8Array | undefined, length: number): Uint8Array {
  if (validity === undefined) {
    return bytes;
  }
  const copy = copyOf(bytes);
  zeroUnset(copy, width, validity, length);
  return copy;
}

/** Bytes of the texts and blobs that indices name. */
function bytesNamed(indices: Uint8Array, width: number, dictionary: ImportedArray, validity: Uint8Array | undefined): number {
  const lengths = lengthsOf(dictionary);
  if (lengths === undefined) {
    return 0;
  }
  const numbers = indicesOf(indices, width);
  const step = width === 8 ? 2 : 1;
  let total = 0;
  for (let i = 0; i < numbers.length; i += step) {
    if (validity === undefined || isSet(validity, i / step)) {
      total += lengths(numbers[i] as number);
    }
  }
  return total;
}

function lengthsOf({ column, buffers }: ImportedArray): ((index: number) => number) | undefined {
  const [first] = buffers;
  if (first === undefined) {
    return undefined;
  }
  const { layout } = column;
  if (layout.kind === 'fixed' && column.sql === 'BLOB') {
    return () => layout.width;
  }
  if (layout.kind === 'views') {
    const words = words32(first);
    return (index) => words[index * 4] as number;
  }
  if (layout.kind !== 'bytes') {
    return undefined;
  }
  const words = words32(first);
  const step = layout.offsetBytes / 4;
  return (index) => (words[(index + 1) * step] as number) - (words[index * step] as number);
}

function lengthOf(value: bigint | undefined): number {
  if (value === undefined || value < 0n || value > BigInt(INGEST_BATCH_VALUES_MAX)) {
    throw value !== undefined && value > 0n ? tooLarge(`${INGEST_BATCH_VALUES_MAX} values`) : malformed('a length is missing or negative');
  }
  return Number(value);
}

function requireBytes(bytes: Uint8Array, needed: number): Uint8Array {
  if (bytes.length < needed) {
    throw malformed('a buffer is shorter than its values');
  }
  return bytes;
}
