import { StatusError } from '@jetbridge/proto/status-error';
import { Schema } from 'apache-arrow';
import { ARROW_ARRAY_BYTES, type NativeArray, readExportedArray, releaseCallback } from './arrow-c-array.ts';
import { BatchEncoder, type Piece } from './batch-encoder.ts';
import { ConnectionCalls, interruptedError } from './connection-calls.ts';
import { duckDbError } from './duckdb-errors.ts';
import type { EngineResult, ResultFrame } from './engine.ts';
import { BATCH_MAX_ROWS, BATCH_TARGET_BYTES } from './engine-limits.ts';
import { type DescribedColumn, exportError } from './exported-schema.ts';
import { callAsync, type ResultWords } from './libduckdb.ts';
import type { NativeConnection } from './native-connection.ts';
import { type NativeHandle, nativeHandle } from './native-memory.ts';

/** A chunk in Arrow's C form, with the rows of it that are still to be sent. */
interface ExportedChunk {
  readonly root: DataView;
  readonly columns: readonly NativeArray[];
  readonly rows: number;
  readonly bytesPerRow: number;
  sent: number;
}

/** Everything a result holds of DuckDB. */
export interface NativeResult {
  readonly words: ResultWords;
  readonly memory: Uint8Array;
  readonly arrowOptions: NativeHandle;
  readonly streaming: boolean;
  /** Why the statement failed when DuckDB says only that it was interrupted, and nobody interrupted it. */
  readonly lostReason: (wasInterrupted: () => boolean) => Promise<StatusError>;
}

/**
 * A result set. It reads one batch ahead of its consumer, so that the engine computes while the socket drains.
 * A stream uses its connection's turn for every fetch; a stored result has turns of its own and leaves the connection free.
 */
export class DuckDbResult implements EngineResult {
  readonly schema: Schema;
  readonly changedRows = undefined;
  readonly #connection: NativeConnection;
  readonly #native: NativeResult;
  readonly #columns: readonly DescribedColumn[];
  readonly #calls: ConnectionCalls;
  readonly #encoder: BatchEncoder;
  readonly #onClosed: (result: DuckDbResult) => void;
  readonly #chunks: ExportedChunk[] = [];
  #exhausted = false;
  #ahead: Promise<ResultFrame | undefined> | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    connection: NativeConnection,
    native: NativeResult,
    columns: readonly DescribedColumn[],
    onClosed: (result: DuckDbResult) => void,
  ) {
    const { lib, reader, buffers } = connection.engine;
    this.schema = new Schema(columns.map((column) => column.field));
    this.#connection = connection;
    this.#native = native;
    this.#columns = columns;
    this.#calls = native.streaming ? connection.calls : new ConnectionCalls(() => undefined);
    this.#encoder = new BatchEncoder(
      lib,
      reader,
      columns.map((column) => column.layout),
      buffers,
    );
    this.#onClosed = onClosed;
  }

  async next(): Promise<ResultFrame | undefined> {
    if (this.#closing) {
      throw new StatusError('cancelled', 'The result is closed');
    }
    const current = this.#ahead ?? this.#produce();
    // The chain keeps calls in order even when a caller does not wait for the one before.
    this.#ahead = current.then((frame) => (frame && !this.#closing ? this.#produce() : undefined));
    this.#ahead.catch(() => undefined);
    const frame = await current;
    if (this.#closing) {
      frame?.release();
      throw new StatusError('cancelled', 'The result is closed');
    }
    return frame;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const abandoned = this.#native.streaming && !this.#exhausted;
    if (abandoned) {
      this.#calls.interrupt();
    }
    const unread = await this.#ahead?.catch(() => undefined);
    unread?.release();
    await this.#calls.finish(async () => {
      this.#releaseChunks(0);
      const { lib } = this.#connection.engine;
      lib.destroyArrowOptions(this.#native.arrowOptions.holder);
      await callAsync(lib.destroyResult, this.#native.memory);
      if (!abandoned) {
        return;
      }
      await this.#connection.endAbandoned();
      this.#connection.vacate();
    });
    this.#onClosed(this);
  }

  /** One batch out of as many chunks as it takes, or undefined at the true end. */
  async #produce(): Promise<ResultFrame | undefined> {
    while (!this.#exhausted && !this.#closing && !this.#enough()) {
      await this.#calls.run((wasInterrupted) => this.#pull(wasInterrupted));
    }
    if (this.#closing || this.#chunks.length === 0) {
      return undefined;
    }
    for (let limit = BATCH_MAX_ROWS; ; ) {
      const pieces = this.#pieces(limit);
      const rows = pieces.reduce((sum, piece) => sum + piece.to - piece.from, 0);
      const frame = this.#encoder.encode(pieces);
      if (frame) {
        this.#consume(rows);
        return frame;
      }
      limit = Math.ceil(rows / 2);
    }
  }

  #enough(): boolean {
    let [rows, bytes] = [0, 0];
    for (const chunk of this.#chunks) {
      rows += chunk.rows - chunk.sent;
      bytes += (chunk.rows - chunk.sent) * chunk.bytesPerRow;
    }
    return rows >= BATCH_MAX_ROWS || bytes >= BATCH_TARGET_BYTES;
  }

  #pieces(limit: number): Piece[] {
    const pieces: Piece[] = [];
    let left = limit;
    for (const chunk of this.#chunks) {
      const to = Math.min(chunk.rows, chunk.sent + left);
      if (to > chunk.sent) {
        pieces.push({ columns: chunk.columns, from: chunk.sent, to });
      }
      left -= to - chunk.sent;
    }
    return pieces;
  }

  #consume(rows: number): void {
    let left = rows;
    for (const chunk of this.#chunks) {
      const taken = Math.min(left, chunk.rows - chunk.sent);
      chunk.sent += taken;
      left -= taken;
    }
    const unsent = this.#chunks.findIndex((chunk) => chunk.sent < chunk.rows);
    this.#releaseChunks(unsent < 0 ? 0 : this.#chunks.length - unsent);
  }

  /** Frees chunks from the front until `keep` are left. */
  #releaseChunks(keep: number): void {
    while (this.#chunks.length > keep) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        this.#connection.engine.lib.callRelease(releaseCallback(chunk.root), chunk.root);
      }
    }
  }

  async #pull(wasInterrupted: () => boolean): Promise<void> {
    const { lib, reader } = this.#connection.engine;
    const address = await callAsync(lib.fetchChunk, this.#native.words);
    const chunk = nativeHandle(address);
    try {
      const rows = address === 0 ? 0 : lib.chunkSize(address);
      // An empty chunk is how DuckDB reports both the end and a failure.
      const error = rows === 0 ? lib.resultError(this.#native.memory) : null;
      if (error !== null) {
        throw await this.#failure(duckDbError(error), wasInterrupted);
      }
      if (wasInterrupted() && this.#native.streaming) {
        throw interruptedError();
      }
      if (rows === 0) {
        return this.#end();
      }
      const root = new DataView(new ArrayBuffer(ARROW_ARRAY_BYTES));
      const failure = await callAsync(lib.chunkToArrow, this.#native.arrowOptions.address, address, root);
      if (failure !== 0) {
        throw exportError(lib, failure);
      }
      const columns = readExportedArray(
        reader,
        root,
        this.#columns.map((column) => column.layout),
      );
      const bytes = this.#encoder.bodyBytes([{ columns, from: 0, to: rows }]);
      this.#chunks.push({ root, columns, rows, bytesPerRow: bytes / rows, sent: 0 });
    } finally {
      if (address !== 0) {
        lib.destroyChunk(chunk.holder);
      }
    }
  }

  async #failure(told: StatusError, wasInterrupted: () => boolean): Promise<StatusError> {
    const isLost = told.code === 'cancelled' && this.#native.streaming && !wasInterrupted();
    return isLost ? this.#native.lostReason(wasInterrupted) : told;
  }

  #end(): void {
    this.#exhausted = true;
    // DuckDB has ended the query itself, so the connection is free although the result is still to be closed.
    if (this.#native.streaming) {
      this.#connection.vacate();
    }
  }
}
