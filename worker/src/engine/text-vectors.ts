import { isSet } from './bitmap.ts';
import type { Address, LibDuckDb } from './libduckdb.ts';

/** DuckDB's `string_t`: a length, then either the text itself (up to 12 bytes) or four bytes of it and its address. */
const STRING_BYTES = 16;
const INLINE_MAX = 12;
/** Strings looked at in one go: one vector's worth. */
const BLOCK = 2048;
const HIGH_WORD = 4294967296;

/** Where the texts of one column go. */
export interface TextTarget {
  /** Offsets of the whole column; the one before the first row is already written. */
  readonly offsets: Int32Array;
  /** The frame's memory; up to 12 bytes behind the texts may be written over, so whatever follows is filled later. */
  readonly view: DataView;
  /** Address of the view's first byte, and where in it the column's texts begin. */
  readonly address: Address;
  readonly textStart: number;
  /** Bits of the column's rows that are not NULL; undefined means all. */
  readonly shown: Uint8Array | undefined;
}

/** Reads vectors of texts. Long texts of a vector mostly lie end to end, so a run of them is copied at once. */
export class TextVectors {
  readonly #lib: LibDuckDb;
  readonly #heads = new Int32Array(new ArrayBuffer(BLOCK * STRING_BYTES));
  readonly #address: Address;

  constructor(lib: LibDuckDb) {
    this.#lib = lib;
    this.#address = lib.addressOf(this.#heads);
  }

  /** Bytes of the texts `from`..`to`. */
  bytes(strings: Address, from: number, to: number, valid: Uint8Array | undefined): number {
    const heads = this.#heads;
    let bytes = 0;
    for (let start = from; start < to; start += BLOCK) {
      const count = Math.min(BLOCK, to - start);
      this.#lib.copy(this.#address, strings + start * STRING_BYTES, count * STRING_BYTES);
      for (let i = 0; i < count; i++) {
        // The length of a NULL is whatever memory held before.
        if (valid === undefined || isSet(valid, start + i)) {
          bytes += (heads[i * 4] as number) >>> 0;
        }
      }
    }
    return bytes;
  }

  /** Writes the texts `from`..`to` as the rows from `row`, behind those before. */
  write(strings: Address, from: number, to: number, row: number, target: TextTarget): void {
    for (let start = from; start < to; start += BLOCK) {
      const count = Math.min(BLOCK, to - start);
      this.#lib.copy(this.#address, strings + start * STRING_BYTES, count * STRING_BYTES);
      this.#writeBlock(count, row + start - from, target);
    }
  }

  // Integers throughout, and the position itself instead of offsets: twice as fast as the obvious loop.
  #writeBlock(count: number, firstRow: number, target: TextTarget): void {
    const { offsets, view, textStart, shown } = target;
    const heads = this.#heads;
    const end = count * 4;
    let at = (textStart + (offsets[firstRow] as number)) | 0;
    let [row, head] = [firstRow, 0];
    while (head < end) {
      const length = heads[head] as number;
      if (!isShown(shown, row)) {
        // Nothing of a NULL is read: its length is whatever memory held before.
      } else if (length >= 0 && length <= INLINE_MAX) {
        view.setInt32(at, heads[head + 1] as number, true);
        if (length > 4) {
          view.setInt32(at + 4, heads[head + 2] as number, true);
          view.setInt32(at + 8, heads[head + 3] as number, true);
        }
        at = (at + length) | 0;
      } else {
        head = this.#copyRun(head, end, row, target);
        row = firstRow + (head >> 2);
        at = (textStart + (offsets[row] as number)) | 0;
        continue;
      }
      head += 4;
      offsets[++row] = at - textStart;
    }
  }

  /** Copies the long text at `head` and those after it that lie behind it in memory too; answers where the next begins. */
  #copyRun(first: number, end: number, firstRow: number, { offsets, address, textStart, shown }: TextTarget): number {
    const heads = this.#heads;
    const high = heads[first + 3] as number;
    let low = heads[first + 2] as number;
    const source = (high >>> 0) * HIGH_WORD + (low >>> 0);
    const start = offsets[firstRow] as number;
    let [head, row, at, length] = [first, firstRow, start, heads[first] as number];
    do {
      at = (at + length) | 0;
      low = (low + length) | 0;
      head += 4;
      offsets[++row] = at;
      length = heads[head] as number;
    } while (head < end && isLong(length) && heads[head + 2] === low && heads[head + 3] === high && isShown(shown, row));
    this.#lib.copy(address + textStart + start, source, at - start);
    return head;
  }
}

/** The lengths are unsigned. */
function isLong(length: number): boolean {
  return length > INLINE_MAX || length < 0;
}

function isShown(shown: Uint8Array | undefined, row: number): boolean {
  return shown === undefined || isSet(shown, row);
}
