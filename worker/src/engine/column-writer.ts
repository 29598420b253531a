import { aligned } from '../arrow/record-batch-message.ts';
import { copyBits, intersection, repeatBits, setBits, zeroUnset } from './bitmap.ts';
import type { BufferPlace, ColumnPlanner, PlannedColumn, Slice } from './column-plan.ts';
import type { Address, LibDuckDb } from './libduckdb.ts';
import type { NativeReader } from './native-memory.ts';
import type { TextVectors } from './text-vectors.ts';
import type { VectorValueWriter } from './vector-values.ts';

/** What writing takes; one set serves all frames. */
export interface WriterTools {
  readonly lib: LibDuckDb;
  readonly reader: NativeReader;
  readonly planner: ColumnPlanner;
  readonly texts: TextVectors;
  readonly values: VectorValueWriter;
}

/** Room behind a frame's body: short texts are written as 12 bytes whatever their length. */
export const FRAME_SLACK_BYTES = 16;

/**
 * Fills the body of one frame. It writes every byte of the body: padding is zeroed and so is every fixed-width slot that is NULL itself or
 * lies inside a NULL struct or array, because the engine leaves whatever memory held there before.
 */
export class ColumnWriter {
  readonly #tools: WriterTools;
  readonly #body: Buffer;
  readonly #address: Address;
  readonly #view: DataView;

  /** `body` is followed by FRAME_SLACK_BYTES that are not sent. */
  constructor(tools: WriterTools, body: Buffer) {
    this.#tools = tools;
    this.#body = body;
    this.#address = body.length === 0 ? 0 : tools.lib.addressOf(body);
    this.#view = new DataView(body.buffer, body.byteOffset, body.length + FRAME_SLACK_BYTES);
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
        this.#writeStrings(column, own);
        return;
      case 'dictionary':
        this.#writeTexts(column);
        return;
      case 'list':
        this.#region(column.values as BufferPlace);
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
    const bytes = this.#tools.reader.copyOf(source + (from >> 3), ((to + 7) >> 3) - (from >> 3));
    copyBits(bytes, from & 7, target, at, to - from);
  }

  #writeBits(column: PlannedColumn, shown: Uint8Array | undefined): void {
    const region = this.#region(column.values as BufferPlace).fill(0);
    let at = 0;
    for (const { array, from, to } of column.slices) {
      if (array.vector?.kind === 'booleans') {
        this.#tools.values.booleans(array.values, from, to, region, at);
      } else if (to > from) {
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
      if (array.vector?.kind === 'decimals') {
        this.#tools.values.decimals(array.values, array.vector.width, from, to, int32View(region), (at - place.offset) / width);
      } else if (bytes > 0) {
        this.#tools.lib.copy(this.#address + at, array.values + from * width, bytes);
      }
      at += bytes;
    }
    if (shown) {
      zeroUnset(region, width, shown, column.rows);
    }
  }

  /** Offsets of all slices in one run: each slice continues where the one before ended. */
  #writeOffsets(column: PlannedColumn): void {
    const offsets = this.#offsetsOf(column);
    let row = 0;
    for (const slice of column.slices) {
      this.#copyOffsets(slice, column.values as BufferPlace, offsets, row);
      row += slice.to - slice.from;
    }
  }

  #offsetsOf(column: PlannedColumn): Int32Array {
    const { offset, bytes } = column.values as BufferPlace;
    const offsets = int32View(this.#body.subarray(offset, offset + bytes));
    offsets[0] = 0;
    return offsets;
  }

  #copyOffsets({ array, from, to }: Slice, place: BufferPlace, offsets: Int32Array, row: number): void {
    const rows = to - from;
    if (rows === 0) {
      return;
    }
    const base = offsets[row] as number;
    if (array.vector?.kind === 'list') {
      offsets.set(array.vector.offsets.subarray(from, to + 1), row);
    } else {
      this.#tools.lib.copy(this.#address + place.offset + row * 4, array.values + from * 4, (rows + 1) * 4);
    }
    const shift = base - (offsets[row] as number);
    if (shift !== 0) {
      for (let i = row; i <= row + rows; i++) {
        offsets[i] = (offsets[i] as number) + shift;
      }
    }
  }

  #writeStrings(column: PlannedColumn, shown: Uint8Array | undefined): void {
    const [offsetPlace, place] = [column.values as BufferPlace, column.bytes as BufferPlace];
    const offsets = this.#offsetsOf(column);
    const target = { offsets, view: this.#view, address: this.#address, textStart: place.offset, shown };
    let row = 0;
    for (const slice of column.slices) {
      const { array, from, to } = slice;
      if (array.vector?.kind === 'strings') {
        this.#tools.texts.write(array.values, from, to, row, target);
      } else {
        this.#copyOffsets(slice, offsetPlace, offsets, row);
        this.#copyText(slice, place.offset + (offsets[row] as number));
      }
      row += to - from;
    }
    // Not before the texts: they may have been written over the padding.
    this.#region(offsetPlace);
    this.#region(place);
  }

  #copyText({ array, from, to }: Slice, at: number): void {
    if (to === from) {
      return;
    }
    const start = this.#tools.reader.int32(array.values + from * 4);
    const bytes = this.#tools.reader.int32(array.values + to * 4) - start;
    if (bytes > 0) {
      this.#tools.lib.copy(this.#address + at, array.bytes + start, bytes);
    }
  }

  #writeTexts(column: PlannedColumn): void {
    const offsets = int32View(this.#region(column.values as BufferPlace));
    const region = this.#region(column.bytes as BufferPlace);
    const texts = this.#tools.planner.dictionaryOf(column.layout);
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
