import type { BatchLayout } from '../arrow/record-batch-message.ts';
import type { NativeArray } from './arrow-c-array.ts';
import type { ColumnLayout } from './arrow-c-schema.ts';
import { countZeros, isSet } from './bitmap.ts';
import type { NativeReader } from './native-memory.ts';
import type { TextVectors } from './text-vectors.ts';

/** Rows `from`..`to` of an exported array. */
export interface Slice {
  readonly array: NativeArray;
  readonly from: number;
  readonly to: number;
}

/** Place of a buffer in the body. */
export interface BufferPlace {
  readonly offset: number;
  readonly bytes: number;
}

/** One column of a batch: the slices it is joined from and where its buffers go. */
export interface PlannedColumn {
  readonly layout: ColumnLayout;
  readonly slices: readonly Slice[];
  readonly rows: number;
  readonly nulls: number;
  readonly validity: BufferPlace | undefined;
  readonly values: BufferPlace | undefined;
  readonly bytes: BufferPlace | undefined;
  readonly children: readonly PlannedColumn[];
  /** For a dictionary: the text number of each row, -1 for NULL. */
  readonly indices: Int32Array | undefined;
}

/** The texts of a dictionary, end to end. */
export interface DictionaryTexts {
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
}

/** Plans columns: decides sizes by reading offsets only. Keeps each dictionary it meets, because a type's texts never change within a result. */
export class ColumnPlanner {
  readonly #reader: NativeReader;
  readonly #texts: TextVectors;
  readonly #dictionaries = new Map<ColumnLayout, DictionaryTexts>();

  constructor(reader: NativeReader, texts: TextVectors) {
    this.#reader = reader;
    this.#texts = texts;
  }

  dictionaryOf(layout: ColumnLayout): DictionaryTexts {
    return this.#dictionaries.get(layout) ?? { offsets: new Int32Array(1), bytes: new Uint8Array(0) };
  }

  /** Depth first, in the order of the IPC format: node, then buffers, then children. */
  plan(layout: ColumnLayout, slices: readonly Slice[], batch: BatchLayout): PlannedColumn {
    const rows = slices.reduce((sum, slice) => sum + slice.to - slice.from, 0);
    const nulls = layout.kind === 'null' ? rows : slices.reduce((sum, slice) => sum + this.#nullsOf(slice), 0);
    const place = (bytes: number): BufferPlace => ({ offset: batch.addBuffer(bytes), bytes });
    const column = {
      layout,
      slices,
      rows,
      nulls,
      validity: undefined,
      values: undefined,
      bytes: undefined,
      children: [],
      indices: undefined,
    };
    batch.addNode(rows, nulls);
    if (layout.kind === 'null') {
      return column;
    }
    if (layout.kind === 'sparse_union') {
      return {
        ...column,
        values: place(rows),
        children: layout.children.map((child, i) => this.plan(child, childSlices(slices, i, 1), batch)),
      };
    }
    const validity = place(nulls === 0 ? 0 : (rows + 7) >> 3);
    switch (layout.kind) {
      case 'bits':
        return { ...column, validity, values: place((rows + 7) >> 3) };
      case 'fixed':
        return { ...column, validity, values: place(rows * layout.width) };
      case 'bytes': {
        const values = place((rows + 1) * 4);
        return { ...column, validity, values, bytes: place(slices.reduce((sum, slice) => sum + this.#textBytes(slice), 0)) };
      }
      case 'dictionary': {
        const indices = this.#resolve(layout, slices, rows);
        const values = place((rows + 1) * 4);
        return { ...column, validity, indices, values, bytes: place(textBytes(this.dictionaryOf(layout), indices)) };
      }
      case 'list': {
        const values = place((rows + 1) * 4);
        return { ...column, validity, values, children: [this.plan(layout.child, this.#elementSlices(slices), batch)] };
      }
      case 'fixed_list':
        return { ...column, validity, children: [this.plan(layout.child, childSlices(slices, 0, layout.size), batch)] };
      case 'struct':
        return { ...column, validity, children: layout.children.map((child, i) => this.plan(child, childSlices(slices, i, 1), batch)) };
    }
  }

  #nullsOf(slice: Slice): number {
    const { array, from, to } = slice;
    if (array.nulls === 0 || array.validity === 0 || (from === 0 && to === array.length)) {
      return array.nulls;
    }
    return countZeros(this.#reader.copyOf(array.validity + (from >> 3), ((to + 7) >> 3) - (from >> 3)), from & 7, to - from);
  }

  #textBytes(slice: Slice): number {
    const { array, from, to } = slice;
    if (array.vector?.kind !== 'strings') {
      return this.#extent(slice).count;
    }
    if (from === 0 && to === array.length) {
      return array.vector.bytes;
    }
    const valid = array.validity === 0 ? undefined : this.#reader.copyOf(array.validity, (to + 7) >> 3);
    return this.#texts.bytes(array.values, from, to, valid);
  }

  /** Elements of the child (bytes of a text) which the slice covers. An array without rows may have no offsets at all. */
  #extent(slice: Slice): { readonly start: number; readonly count: number } {
    if (slice.to === slice.from) {
      return { start: 0, count: 0 };
    }
    if (slice.array.vector?.kind === 'list') {
      const { offsets } = slice.array.vector;
      const start = offsets[slice.from] as number;
      return { start, count: (offsets[slice.to] as number) - start };
    }
    const start = this.#reader.int32(slice.array.values + slice.from * 4);
    return { start, count: this.#reader.int32(slice.array.values + slice.to * 4) - start };
  }

  #elementSlices(slices: readonly Slice[]): Slice[] {
    return slices.map((slice) => {
      const { start, count } = this.#extent(slice);
      return { array: slice.array.children[0] as NativeArray, from: start, to: start + count };
    });
  }

  #resolve(layout: ColumnLayout & { kind: 'dictionary' }, slices: readonly Slice[], rows: number): Int32Array {
    const indices = new Int32Array(rows);
    let at = 0;
    for (const { array, from, to } of slices) {
      const texts = this.#load(layout, array);
      const raw = this.#reader.copyOf(array.values + from * layout.width, (to - from) * layout.width);
      const validity = array.nulls > 0 ? this.#reader.copyOf(array.validity, (to + 7) >> 3) : undefined;
      for (let row = from; row < to; row++, at++) {
        const index = raw.readUIntLE((row - from) * layout.width, layout.width);
        // The index of a NULL (or of a member of a NULL struct) is whatever the engine left there.
        const absent = index >= texts.offsets.length - 1 || (validity !== undefined && !isSet(validity, row));
        indices[at] = absent ? -1 : index;
      }
    }
    return indices;
  }

  #load(layout: ColumnLayout, array: NativeArray): DictionaryTexts {
    const known = this.#dictionaries.get(layout);
    if (known || !array.dictionary) {
      return known ?? this.dictionaryOf(layout);
    }
    const { length, values, bytes } = array.dictionary;
    const offsets = new Int32Array(this.#reader.copyOf(values, (length + 1) * 4).buffer);
    const texts = { offsets, bytes: this.#reader.copyOf(bytes, offsets[length] ?? 0) };
    this.#dictionaries.set(layout, texts);
    return texts;
  }
}

function childSlices(slices: readonly Slice[], child: number, times: number): Slice[] {
  return slices.map(({ array, from, to }) => ({ array: array.children[child] as NativeArray, from: from * times, to: to * times }));
}

function textBytes(texts: DictionaryTexts, indices: Int32Array): number {
  let bytes = 0;
  for (const index of indices) {
    if (index >= 0) {
      bytes += (texts.offsets[index + 1] ?? 0) - (texts.offsets[index] ?? 0);
    }
  }
  return bytes;
}
