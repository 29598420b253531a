import { type ImportedArray, type ImportedBatch, importBatch, importDictionary } from './import-array.ts';
import { type ImportColumn, importColumns } from './import-type.ts';
import type { UploadedBatch, UploadedField, UploadedType } from './uploaded-message.ts';

/** One column as a message holds it. */
export interface MadeColumn {
  readonly field: UploadedField;
  readonly length: number;
  readonly nulls: number;
  readonly buffers: readonly Uint8Array[];
  readonly viewBuffers: readonly number[];
  readonly children: readonly MadeColumn[];
}

export interface MadeMessage {
  readonly fields: readonly UploadedField[];
  readonly batch: UploadedBatch;
  readonly body: Uint8Array;
}

/** A column of buffers, the first of which is the validity; NULLs are counted from it. */
export function column(
  name: string,
  type: UploadedType,
  length: number,
  buffers: readonly ArrayBufferView[],
  children: readonly MadeColumn[] = [],
): MadeColumn {
  const bytes = buffers.map((buffer) => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength));
  const [validity] = bytes;
  const nulls =
    type.kind === 'null' || validity === undefined || validity.length === 0
      ? 0
      : Array.from({ length }, (_, i) => ((validity[i >> 3] ?? 0) >> (i & 7)) & 1).filter((bit) => bit === 0).length;
  const viewBuffers = type.kind.endsWith('_view') ? [bytes.length - 2] : [];
  const field = { name, type, typeNumber: 0, children: children.map((child) => child.field), dictionary: undefined };
  return { field, length, nulls, buffers: bytes, viewBuffers, children };
}

export const NO_NULLS = new Uint8Array(0);

/** Bits of which those listed are zero. */
export function validityOf(length: number, nulls: readonly number[]): Uint8Array {
  const bits = new Uint8Array(Math.ceil(length / 8)).fill(0xff);
  for (const row of nulls) {
    bits[row >> 3] = (bits[row >> 3] ?? 0) & ~(1 << (row & 7));
  }
  return bits;
}

/** Texts with 32-bit offsets; undefined is NULL. */
export function texts(name: string, values: readonly (string | undefined)[]): MadeColumn {
  const parts = values.map((value) => Buffer.from(value ?? ''));
  const offsets = new Int32Array(values.length + 1);
  parts.forEach((part, i) => {
    offsets[i + 1] = (offsets[i] ?? 0) + part.length;
  });
  const nulls = values.flatMap((value, i) => (value === undefined ? [i] : []));
  return column(name, { kind: 'utf8' }, values.length, [
    nulls.length === 0 ? NO_NULLS : validityOf(values.length, nulls),
    offsets,
    Buffer.concat(parts),
  ]);
}

/** A column of indices into a dictionary that is sent by itself. */
export function indexed(indices: MadeColumn, values: MadeColumn, id: bigint): MadeColumn {
  const field = { ...values.field, name: indices.field.name, dictionary: { id, index: indices.field.type } };
  return { ...indices, field };
}

export function message(columns: readonly MadeColumn[]): MadeMessage {
  const all: MadeColumn[] = [];
  const visit = (made: MadeColumn): void => {
    all.push(made);
    made.children.forEach(visit);
  };
  columns.forEach(visit);
  const buffers: bigint[] = [];
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const bytes of all.flatMap((made) => made.buffers)) {
    buffers.push(BigInt(at), BigInt(bytes.length));
    const padded = new Uint8Array(Math.ceil(bytes.length / 8) * 8);
    padded.set(bytes);
    parts.push(padded);
    at += padded.length;
  }
  const batch = {
    rows: BigInt(columns[0]?.length ?? 0),
    nodes: all.flatMap((made) => [BigInt(made.length), BigInt(made.nulls)]),
    buffers,
    viewBuffers: all.flatMap((made) => made.viewBuffers.map(BigInt)),
  };
  return { fields: columns.map((made) => made.field), batch, body: Buffer.concat(parts) };
}

export interface Imported {
  readonly columns: readonly ImportColumn[];
  readonly batch: ImportedBatch;
}

/** Takes a message through the checks, with the dictionaries of its first columns in order. */
export function imported({ fields, batch, body }: MadeMessage, dictionaries: readonly MadeMessage[] = []): Imported {
  const columns = importColumns(fields);
  const arrays = new Map<bigint, ImportedArray>();
  dictionaries.forEach((dictionary, i) => {
    const used = columns[i]?.dictionary;
    if (used !== undefined) {
      arrays.set(used.id, importDictionary(used.values, dictionary.batch, dictionary.body).array);
    }
  });
  return { columns, batch: importBatch(columns, batch, body, arrays) };
}
