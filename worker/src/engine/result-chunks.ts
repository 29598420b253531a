import { ARROW_ARRAY_BYTES, type NativeArray, readExportedArray, releaseCallback } from './arrow-c-array.ts';
import type { EncodeTools } from './batch-encoder.ts';
import { ChunkVectors } from './chunk-vectors.ts';
import type { EncodeColumn } from './encode-messages.ts';
import type { Address } from './libduckdb.ts';
import { addressList, NativeHandle, nativeHandle } from './native-memory.ts';
import { exportError } from './schema-export.ts';

/** A fetched chunk whose columns can be copied into frames until it is released. */
export interface OpenChunk {
  readonly address: Address;
  readonly rows: number;
  readonly columns: readonly NativeArray[];
  /** The export of those columns that could not be read in place. */
  readonly exported: DataView | undefined;
}

/**
 * Opens the chunks of one result. Columns are read in place where that is possible; the others are referenced by a second chunk, which
 * DuckDB exports.
 */
export class ResultChunks {
  readonly #tools: EncodeTools;
  readonly #vectors: ChunkVectors;
  readonly #columns: readonly EncodeColumn[];
  readonly #result: ArrayBufferView;
  readonly #options = new NativeHandle();

  constructor(tools: EncodeTools, columns: readonly EncodeColumn[], result: ArrayBufferView) {
    this.#tools = tools;
    this.#vectors = new ChunkVectors(tools.lib, tools.reader, tools.texts);
    this.#columns = columns;
    this.#result = result;
  }

  open(address: Address): OpenChunk {
    const { lib } = this.#tools;
    const rows = lib.chunkSize(address);
    const columns = this.#columns.map(({ vector }, i) => vector && this.#vectors.read(lib.chunkVector(address, i), vector, rows));
    const missing = columns.flatMap((column, i) => (column === undefined ? [i] : []));
    if (missing.length === 0) {
      return { address, rows, columns: columns as NativeArray[], exported: undefined };
    }
    const exported = this.#export(address, rows, missing);
    const layouts = missing.map((column) => (this.#columns[column] as EncodeColumn).layout);
    const found = readExportedArray(this.#tools.reader, exported, layouts).values();
    return { address, rows, columns: columns.map((column) => column ?? (found.next().value as NativeArray)), exported };
  }

  /** Frees what opening took; the chunk itself stays. */
  release(chunk: OpenChunk): void {
    if (chunk.exported) {
      this.#tools.lib.callRelease(releaseCallback(chunk.exported), chunk.exported);
    }
  }

  close(): void {
    this.#tools.lib.destroyArrowOptions(this.#options.holder);
  }

  #export(address: Address, rows: number, columns: readonly number[]): DataView {
    const { lib } = this.#tools;
    if (this.#options.address === 0) {
      this.#options.holder[0] = BigInt(lib.resultArrowOptions(this.#result));
    }
    const part = this.#partOf(address, rows, columns);
    try {
      const root = new DataView(new ArrayBuffer(ARROW_ARRAY_BYTES));
      const failure = lib.chunkToArrow(this.#options.address, part.address, root);
      if (failure !== 0) {
        throw exportError(lib, failure);
      }
      return root;
    } finally {
      lib.destroyChunk(part.holder);
    }
  }

  /** A chunk that shares these columns of another. */
  #partOf(address: Address, rows: number, columns: readonly number[]): NativeHandle {
    const { lib } = this.#tools;
    const types = columns.map((column) => nativeHandle(lib.resultColumnLogicalType(this.#result, column)));
    const part = nativeHandle(lib.createChunk(addressList(types.map((type) => type.address)), types.length));
    for (const type of types) {
      lib.destroyType(type.holder);
    }
    columns.forEach((column, i) => {
      lib.referenceVector(lib.chunkVector(part.address, i), lib.chunkVector(address, column));
    });
    lib.setChunkSize(part.address, rows);
    return part;
  }
}
