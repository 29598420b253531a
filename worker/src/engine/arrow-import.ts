import type { ImportedArray, ImportedBatch } from '../arrow/import-array.ts';
import type { ImportColumn } from '../arrow/import-type.ts';
import type { Address } from './libduckdb.ts';

/** Structures of Arrow's C data interface in memory that JavaScript owns: native code may read them while `memories` is referred to. */
export interface CStructure {
  readonly root: BigUint64Array;
  readonly memories: readonly ArrayBufferView[];
}

const SCHEMA_WORDS = 9;
const ARRAY_WORDS = 10;
const NULLABLE = 2n;

/** Addresses of memory; every view of one ArrayBuffer is reckoned from its beginning, because an empty view has no address. */
class Memory {
  readonly views: ArrayBufferView[] = [];
  readonly #addressOf: (memory: ArrayBufferView) => Address;
  readonly #bases = new Map<ArrayBufferLike, number>();

  constructor(addressOf: (memory: ArrayBufferView) => Address) {
    this.#addressOf = addressOf;
  }

  words(count: number): BigUint64Array {
    const words = new BigUint64Array(new ArrayBuffer(count * 8));
    this.views.push(words);
    return words;
  }

  text(text: string): bigint {
    const bytes = Buffer.from(new ArrayBuffer(Buffer.byteLength(text) + 1));
    bytes.write(text);
    return this.at(bytes);
  }

  at(view: ArrayBufferView): bigint {
    let base = this.#bases.get(view.buffer);
    if (base === undefined) {
      this.views.push(view);
      base = this.#addressOf(new Uint8Array(view.buffer));
      this.#bases.set(view.buffer, base);
    }
    return BigInt(base + view.byteOffset);
  }
}

/** The `struct ArrowSchema` of a batch: a struct of its columns. `release` must be a function that leaves it alone. */
export function cSchema(columns: readonly ImportColumn[], addressOf: (memory: ArrayBufferView) => Address, release: Address): CStructure {
  const memory = new Memory(addressOf);
  const write = (format: string, name: string, children: readonly ImportColumn[], dictionary: ImportColumn | undefined): BigUint64Array => {
    const schema = memory.words(SCHEMA_WORDS + children.length);
    schema[0] = memory.text(format);
    schema[1] = memory.text(name);
    schema[3] = NULLABLE;
    schema[4] = BigInt(children.length);
    schema[5] = memory.at(schema.subarray(SCHEMA_WORDS));
    children.forEach((child, i) => {
      schema[SCHEMA_WORDS + i] = memory.at(writeColumn(child));
    });
    schema[6] = dictionary === undefined ? 0n : memory.at(writeColumn(dictionary));
    schema[7] = BigInt(release);
    return schema;
  };
  const writeColumn = ({ format, name, children, dictionary }: ImportColumn): BigUint64Array =>
    write(format, name, children, dictionary?.values);
  const root = write('+s', '', columns, undefined);
  return { root, memories: memory.views };
}

/** The `struct ArrowArray` of some rows of a batch, the first of which is a multiple of eight. */
export function cArray(
  batch: ImportedBatch,
  first: number,
  rows: number,
  addressOf: (memory: ArrayBufferView) => Address,
  release: Address,
): CStructure {
  const memory = new Memory(addressOf);
  const write = (
    length: number,
    buffers: readonly bigint[],
    hasNulls: boolean,
    children: readonly BigUint64Array[],
    dictionary: BigUint64Array | undefined,
  ): BigUint64Array => {
    const array = memory.words(ARRAY_WORDS + buffers.length + children.length);
    array[0] = BigInt(length);
    // How many does not matter, only whether: DuckDB reads the bitmap.
    array[1] = hasNulls ? 1n : 0n;
    array[3] = BigInt(buffers.length);
    array[4] = BigInt(children.length);
    array[5] = memory.at(array.subarray(ARRAY_WORDS));
    array[6] = memory.at(array.subarray(ARRAY_WORDS + buffers.length));
    array[7] = dictionary === undefined ? 0n : memory.at(dictionary);
    array[8] = BigInt(release);
    array.set(buffers, ARRAY_WORDS);
    array.set(
      children.map((child) => memory.at(child)),
      ARRAY_WORDS + buffers.length,
    );
    return array;
  };
  const writeSlice = (source: ImportedArray, from: number, length: number): BigUint64Array => {
    const { column, validity, dictionary } = source;
    const validityAt = validity === undefined ? 0n : memory.at(validity) + BigInt(from / 8);
    const values = source.buffers.map((buffer, i) => memory.at(buffer) + BigInt((from * bitsPerRow(source, i)) / 8));
    const children = source.children.map((child) => writeChild(source, child, from, length));
    const whole = dictionary === undefined ? undefined : writeSlice(dictionary, 0, dictionary.length);
    const buffers = column.layout.kind === 'null' ? [] : [validityAt, ...values];
    return write(length, buffers, validity !== undefined, children, whole);
  };
  const writeChild = (parent: ImportedArray, child: ImportedArray, from: number, length: number): BigUint64Array => {
    const { layout } = parent.column;
    switch (layout.kind) {
      case 'fixed_list':
        return writeSlice(child, from * layout.size, length * layout.size);
      case 'list':
        // Offsets count from the first element of all.
        return writeSlice(child, 0, child.length);
      default:
        return writeSlice(child, from, length);
    }
  };
  const children = batch.columns.map((column) => writeSlice(column, first, rows));
  const root = write(rows, [0n], false, children, undefined);
  return { root, memories: memory.views };
}

function bitsPerRow({ column: { layout } }: ImportedArray, buffer: number): number {
  switch (layout.kind) {
    case 'bits':
      return 1;
    case 'fixed':
      return (layout.values.kind === 'day_milliseconds' ? 4 : layout.width) * 8;
    case 'bytes':
      return buffer === 0 ? layout.offsetBytes * 8 : 0;
    case 'views':
      return buffer === 0 ? 128 : 0;
    case 'list':
      return layout.offsetBytes * 8;
    default:
      return 0;
  }
}
