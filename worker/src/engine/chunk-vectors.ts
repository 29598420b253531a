import type { NativeArray, VectorValues } from './arrow-c-array.ts';
import { countZeros } from './bitmap.ts';
import type { Address, LibDuckDb } from './libduckdb.ts';
import type { NativeReader } from './native-memory.ts';
import type { TextVectors } from './text-vectors.ts';
import type { VectorLayout } from './vector-layout.ts';

const ENTRY_WORDS = 4;
/** Room for the bitmap of one vector; longer ones are children of lists. */
const BITMAP_BYTES = 256;

/**
 * Reads the vectors of a chunk where they are, without an export. A fetched chunk is flat at every level: DuckDB flattens it before it hands
 * it out. What is read stays valid as long as the chunk.
 */
export class ChunkVectors {
  readonly #lib: LibDuckDb;
  readonly #reader: NativeReader;
  readonly #texts: TextVectors;
  readonly #bitmap = new Uint8Array(new ArrayBuffer(BITMAP_BYTES));
  readonly #bitmapAddress: Address;

  constructor(lib: LibDuckDb, reader: NativeReader, texts: TextVectors) {
    this.#lib = lib;
    this.#reader = reader;
    this.#texts = texts;
    this.#bitmapAddress = lib.addressOf(this.#bitmap);
  }

  /** The first `length` values of a vector; undefined when only an export can bring them in order. */
  read(vector: Address, layout: VectorLayout, length: number): NativeArray | undefined {
    const validity = length === 0 ? 0 : this.#lib.vectorValidity(vector);
    const valid = validity === 0 ? undefined : this.#bitmapAt(validity, length);
    const nulls = valid === undefined ? 0 : countZeros(valid, 0, length);
    const array = { length, nulls, validity: nulls === 0 ? 0 : validity, bytes: 0, children: [], dictionary: undefined, vector: undefined };
    switch (layout.kind) {
      case 'struct':
        return this.#withChildren(
          array,
          layout.children.map((child, i) => this.read(this.#lib.structVectorChild(vector, i), child, length)),
        );
      case 'array':
        return this.#withChildren(array, [this.read(this.#lib.arrayVectorChild(vector), layout.child, length * layout.size)]);
      case 'list':
        return this.#readList(vector, layout.child, array, nulls === 0 ? undefined : valid);
      default: {
        const values = this.#lib.vectorData(vector);
        return { ...array, values, vector: this.#valuesOf(values, layout, length, nulls === 0 ? undefined : valid) };
      }
    }
  }

  /** A copy, valid until the next: most bitmaps are looked at once. */
  #bitmapAt(validity: Address, length: number): Uint8Array {
    const bytes = (length + 7) >> 3;
    if (bytes > this.#bitmap.length) {
      return this.#reader.copyOf(validity, bytes);
    }
    this.#lib.copy(this.#bitmapAddress, validity, bytes);
    return this.#bitmap;
  }

  #valuesOf(
    values: Address,
    layout: VectorLayout & { readonly kind: 'plain' | 'booleans' | 'decimals' | 'strings' },
    length: number,
    valid: Uint8Array | undefined,
  ): VectorValues | undefined {
    switch (layout.kind) {
      case 'plain':
        return undefined;
      case 'strings':
        return { kind: 'strings', bytes: this.#texts.bytes(values, 0, length, valid) };
      default:
        return layout;
    }
  }

  #withChildren(array: Omit<NativeArray, 'values'>, children: readonly (NativeArray | undefined)[]): NativeArray | undefined {
    const read = children.filter((child) => child !== undefined);
    return read.length === children.length ? { ...array, values: 0, children: read } : undefined;
  }

  #readList(
    vector: Address,
    child: VectorLayout,
    array: Omit<NativeArray, 'values'>,
    valid: Uint8Array | undefined,
  ): NativeArray | undefined {
    const entries = this.#reader.copyOf(array.length === 0 ? 0 : this.#lib.vectorData(vector), array.length * ENTRY_WORDS * 4);
    const offsets = offsetsOf(new Uint32Array(entries.buffer), array.length, valid);
    const end = offsets?.[array.length];
    if (offsets === undefined || end === undefined || end > this.#lib.listVectorSize(vector)) {
      return undefined;
    }
    const elements = this.read(this.#lib.listVectorChild(vector), child, end);
    return elements && { ...array, values: 0, children: [elements], vector: { kind: 'list', offsets } };
  }
}

/** Where each list begins in the child; undefined when lists share elements, lie in another order or leave gaps. */
function offsetsOf(entries: Uint32Array, length: number, valid: Uint8Array | undefined): Int32Array | undefined {
  const offsets = new Int32Array(length + 1);
  let end = -1;
  for (let i = 0; i < length; i++) {
    const entry = i * ENTRY_WORDS;
    const count = isNull(valid, i) ? 0 : (entries[entry + 2] as number);
    if (count === 0) {
      offsets[i + 1] = Math.max(end, 0);
      continue;
    }
    const start = entries[entry] as number;
    const isLarge = entries[entry + 1] !== 0 || entries[entry + 3] !== 0 || start + count > MAX_ELEMENTS;
    if (isLarge || (end >= 0 && start !== end)) {
      return undefined;
    }
    if (end < 0) {
      // Nothing before the first list with elements has any: they all begin where it does.
      offsets.fill(start, 0, i + 1);
    }
    end = start + count;
    offsets[i + 1] = end;
  }
  return offsets;
}

const MAX_ELEMENTS = 2 ** 31 - 1;

function isNull(valid: Uint8Array | undefined, row: number): boolean {
  return valid !== undefined && (((valid[row >> 3] as number) >> (row & 7)) & 1) === 0;
}
