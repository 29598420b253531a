import { Builder } from 'flatbuffers';

/** Arrow IPC aligns every buffer of a body; 8 is the minimum of the specification and what most writers use. */
export const IPC_ALIGNMENT = 8;

/** `bytes` rounded up to the next aligned length. */
export function aligned(bytes: number): number {
  // Not by bits: they end at 2 GiB, which the rows of one chunk may exceed before they are split.
  return Math.ceil(bytes / IPC_ALIGNMENT) * IPC_ALIGNMENT;
}

/** Field nodes and buffers of one record batch, in the depth-first order of the IPC format. */
export class BatchLayout {
  readonly #nodes: number[] = [];
  readonly #buffers: number[] = [];
  #bodyBytes = 0;

  get bodyBytes(): number {
    return this.#bodyBytes;
  }

  addNode(rows: number, nulls: number): void {
    this.#nodes.push(rows, nulls);
  }

  /** Reserves room for a buffer and answers its offset in the body. */
  addBuffer(bytes: number): number {
    const offset = this.#bodyBytes;
    this.#buffers.push(offset, bytes);
    this.#bodyBytes += aligned(bytes);
    return offset;
  }

  /** The `Message` flatbuffer (Message.fbs) with a RecordBatch header. */
  toMessage(rows: number): Uint8Array {
    const builder = new Builder(256 + this.#nodes.length * 8 + this.#buffers.length * 8);
    const buffers = structVector(builder, this.#buffers);
    const nodes = structVector(builder, this.#nodes);
    builder.startObject(4);
    builder.addFieldInt64(0, BigInt(rows), 0n);
    builder.addFieldOffset(1, nodes, 0);
    builder.addFieldOffset(2, buffers, 0);
    const batch = builder.endObject();
    builder.startObject(5);
    builder.addFieldInt16(0, METADATA_V5, 0);
    builder.addFieldInt8(1, RECORD_BATCH_HEADER, 0);
    builder.addFieldOffset(2, batch, 0);
    builder.addFieldInt64(3, BigInt(this.#bodyBytes), 0n);
    builder.finish(builder.endObject());
    return builder.asUint8Array();
  }
}

/** `MessageHeader.RecordBatch` in Message.fbs. */
const RECORD_BATCH_HEADER = 3;
/** `MetadataVersion.V5` in Schema.fbs. */
const METADATA_V5 = 4;

/** A vector of structs of two int64 (FieldNode and Buffer both are), written back to front as flatbuffers are. */
function structVector(builder: Builder, pairs: readonly number[]): number {
  builder.startVector(16, pairs.length / 2, 8);
  for (let i = pairs.length - 2; i >= 0; i -= 2) {
    builder.prep(8, 16);
    builder.writeInt64(BigInt(pairs[i + 1] ?? 0));
    builder.writeInt64(BigInt(pairs[i] ?? 0));
  }
  return builder.endVector();
}
