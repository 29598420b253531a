import { aligned } from '../arrow/record-batch-message.ts';
import { copyBits, intersection, repeatBits, setBits, zeroUnset } from './bitmap.ts';
import type { BufferPlace, ColumnPlanner, PlannedColumn } from './column-plan.ts';
import type { Address, LibDuckDb } from './libduckdb.ts';
import type { NativeReader } from './native-memory.ts';

/**
 * Fills the body of one frame. It writes every byte of the body: padding is zeroed and so is every fixed-width slot that is NULL itself or
 * lies inside a NULL struct or array, because the engine leaves whatever memory held there before.
 */
export class ColumnWriter {
  readonly #lib: LibDuckDb;
  readonly #reader: NativeReader;
  readonly #planner: ColumnPlanner;
  readonly #body: Buffer;
  readonly #address: Address;

  constructor(lib: LibDuckDb, reader: NativeReader, planner: ColumnPlanner, body: Buffer) {
    this.#lib = lib;
    this.#reader = reader;
    this.#planner = planner;
    this.#body = body;
    this.#address = body.length === 0 ? 0 : lib.addressOf(body);
  }

  /** `visible` marks the rows that the parents leave visible; undefined means all. */
  write(column: PlannedColumn, visible: Uint8Array | undefined): void {
    const own = this.#writeValidity(column);
    const shown = intersection(own, visible);
    switch (column.layout.kind) {
      case 'null':
        return;
      case 'bits':
        this.#writeBits(column, shown);
        return;
      case 'fixed':
        this.#writeFixed(column, column.layout.width, shown);
        return;
      case 'bytes':
        this.#writeOffsets(column);
        this.#writeBytes(column);
        return;
      case 'dictionary':
        this.#writeTexts(column);
        return;
      case 'list':
        this.#writeOffsets(column);
        for (const child of column.children) {
          this.write(child, undefined);
        }
        return;
      case 'fixed_list': {
        const size = column.layout.size;
        const elements = shown && repeatBits(shown, column.rows, size);
        for (const child of column.children) {
          this.write(child, elements);
        }
        return;
      }
      case 'struct':
        for (const child of column.children) {
          this.write(child, shown);
        }
        return;
      case 'sparse_union':
        this.#writeFixed(column, 1, visible);
        for (const child of column.children) {
          this.write(child, visible);
        }
        return;
    }
  }

  /** The bytes of a buffer, with its padding zeroed. */
  #region(place: BufferPlace): Buffer {
    const end = place.offset + place.bytes;
    this.#body.fill(0, end, place.offset + aligned(place.bytes));
    return this.#body.subarray(place.offset, end);
  }

  #writeValidity(column: PlannedColumn): Uint8Array | undefined {
    if (!column.validity || column.validity.bytes === 0) {
      return undefined;
    }
    const region = this.#region(column.validity).fill(0);
    let at = 0;
    for (const { array, from, to } of column.slices) {
      if (array.nulls === 0 || array.validity === 0) {
        setBits(region, at, to - from);
      } else {
        this.#copyBits(array.validity, from, to, region, at);
      }
      at += to - from;
    }
    return region;
  }

  #copyBits(source: Address, from: number, to: number, target: Uint8Array, at: number): void {
    const bytes = this.#reader.copyOf(source + (from >> 3), ((to + 7) >> 3) - (from >> 3));
    copyBits(bytes, from & 7, target, at, to - from);
  }

  #writeBits(column: PlannedColumn, shown: Uint8Array | undefined): void {
    const region = this.#region(column.values as BufferPlace).fill(0);
    let at = 0;
    for (const { array, from, to } of column.slices) {
      if (to > from) {
        this.#copyBits(array.values, from, to, region, at);
      }
      at += to - from;
    }
    if (shown) {
      for (let i = 0; i < region.length; i++) {
        region[i] = (region[i] ?? 0) & (shown[i] ?? 0);
      }
    }
  }

  #writeFixed(column: PlannedColumn, width: number, shown: Uint8Array | undefined): void {
    const place = column.values as BufferPlace;
    const region = this.#region(place);
    let at = place.offset;
    for (const { array, from, to } of column.slices) {
      const bytes = (to - from) * width;
      if (bytes > 0) {
        this.#lib.copy(this.#address + at, array.values + from * width, bytes);
      }
      at += bytes;
    }
    if (shown) {
      zeroUnset(region, width, shown, column.rows);
    }
  }

  /** Offsets of all slices in one run: each slice continues where the one before ended. */
  #writeOffsets(column: PlannedColumn): void {
    const place = column.values as BufferPlace;
    const offsets = int32View(this.#region(place));
    let [row, base] = [0, 0];
    offsets[0] = 0;
    for (const { array, from, to } of column.slices) {
      const rows = to - from;
      if (rows === 0) {
        continue;
      }
      this.#lib.copy(this.#address + place.offset + row * 4, array.values + from * 4, (rows + 1) * 4);
      const shift = base - (offsets[row] ?? 0);
      if (shift !== 0) {
        for (let i = row; i <= row + rows; i++) {
          offsets[i] = (offsets[i] ?? 0) + shift;
        }
      }
      row += rows;
      base = offsets[row] ?? 0;
    }
  }

  #writeBytes(column: PlannedColumn): void {
    const place = column.bytes as BufferPlace;
    this.#region(place);
    let at = place.offset;
    for (const { array, from, to } of column.slices) {
      if (to === from) {
        continue;
      }
      const start = this.#reader.int32(array.values + from * 4);
      const bytes = this.#reader.int32(array.values + to * 4) - start;
      if (bytes > 0) {
        this.#lib.copy(this.#address + at, array.bytes + start, bytes);
      }
      at += bytes;
    }
  }

  #writeTexts(column: PlannedColumn): void {
    const offsets = int32View(this.#region(column.values as BufferPlace));
    const region = this.#region(column.bytes as BufferPlace);
    const texts = this.#planner.dictionaryOf(column.layout);
    let at = 0;
    offsets[0] = 0;
    column.indices?.forEach((index, row) => {
      if (index >= 0) {
        const text = texts.bytes.subarray(texts.offsets[index], texts.offsets[index + 1]);
        region.set(text, at);
        at += text.length;
      }
      offsets[row + 1] = at;
    });
  }
}

function int32View(region: Buffer): Int32Array {
  return new Int32Array(region.buffer, region.byteOffset, region.length >> 2);
}
