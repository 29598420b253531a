import { StatusError } from '@jetbridge/proto/status-error';
import type { ImportedBatch } from '../arrow/import-array.ts';
import { type CStructure, cArray, cSchema } from './arrow-import.ts';
import { interruptedError } from './connection-calls.ts';
import { typedDuckDbError } from './duckdb-errors.ts';
import type { AppendedRows, EngineAppender } from './engine.ts';
import { INGEST_FLUSH_BYTES, INGEST_SLICE_ROWS } from './engine-limits.ts';
import { type LibImport, loadLibImport } from './lib-import.ts';
import { type Address, callAsync } from './libduckdb.ts';
import type { NativeConnection } from './native-connection.ts';
import { addressList, NativeHandle, nativeHandle } from './native-memory.ts';

/** Takes Arrow batches over without copying their fixed-width values and hands them to an INSERT each time enough have gathered. */
export class DuckDbAppender implements EngineAppender {
  readonly #connection: NativeConnection;
  readonly #appended: AppendedRows;
  readonly #onClosed: (appender: DuckDbAppender) => void;
  readonly #lib: LibImport = loadLibImport();
  readonly #schema = new NativeHandle();
  readonly #appender = new NativeHandle();
  #unflushedBytes = 0;
  #closing: Promise<void> | undefined;

  constructor(connection: NativeConnection, appended: AppendedRows, onClosed: (appender: DuckDbAppender) => void) {
    this.#connection = connection;
    this.#appended = appended;
    this.#onClosed = onClosed;
  }

  append(batch: ImportedBatch): Promise<void> {
    return this.#connection.calls.run(async (wasInterrupted) => {
      this.#requireOpen();
      for (let first = 0; first < batch.rows; first += INGEST_SLICE_ROWS) {
        const rows = Math.min(INGEST_SLICE_ROWS, batch.rows - first);
        await this.#appendSlice(batch, first, rows);
        this.#unflushedBytes += (batch.bytes * rows) / batch.rows;
        if (this.#unflushedBytes > INGEST_FLUSH_BYTES) {
          await this.#flush();
        }
        if (wasInterrupted()) {
          throw interruptedError();
        }
      }
    });
  }

  finish(): Promise<void> {
    return this.#connection.calls.run(async (wasInterrupted) => {
      this.#requireOpen();
      if (this.#appender.address !== 0) {
        await this.#flush();
      }
      if (wasInterrupted()) {
        throw interruptedError();
      }
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#connection.calls.finish(async () => {
      if (this.#appender.address !== 0) {
        // Destroying flushes what is left, which after a failure must go nowhere.
        this.#lib.clearAppender(this.#appender.address);
        await callAsync(this.#lib.destroyAppender, this.#appender.holder);
      }
      this.#lib.destroySchema(this.#schema.holder);
      this.#onClosed(this);
    });
    return this.#closing;
  }

  #requireOpen(): void {
    this.#connection.requireFree();
    if (this.#closing !== undefined) {
      throw new StatusError('failed_precondition', 'The appender is closed');
    }
  }

  async #flush(): Promise<void> {
    this.#unflushedBytes = 0;
    if (await callAsync(this.#lib.flushAppender, this.#appender.address)) {
      throw this.#appenderFailure();
    }
  }

  async #appendSlice(batch: ImportedBatch, first: number, rows: number): Promise<void> {
    const { lib } = this.#connection.engine;
    const schema = this.#schemaAddress();
    const array = cArray(batch, first, rows, lib.addressOf, this.#lib.doNothing);
    const chunk = new NativeHandle();
    this.#throwIfError(await callAsync(this.#lib.chunkFromArrow, this.#connection.address, array.root, schema, chunk.holder));
    try {
      const appender = this.#appenderAddress(chunk.address);
      if (await callAsync(this.#lib.appendChunk, appender, chunk.address)) {
        throw this.#appenderFailure();
      }
    } finally {
      lib.destroyChunk(chunk.holder);
      keepUntilHere(array);
    }
  }

  #schemaAddress(): Address {
    if (this.#schema.address === 0) {
      const schema = cSchema(this.#appended.columns, this.#connection.engine.lib.addressOf, this.#lib.doNothing);
      this.#throwIfError(this.#lib.schemaFromArrow(this.#connection.address, schema.root, this.#schema.holder));
      keepUntilHere(schema);
    }
    return this.#schema.address;
  }

  /** The appender takes the types of the first chunk, so that every chunk has them exactly. */
  #appenderAddress(chunk: Address): Address {
    if (this.#appender.address !== 0) {
      return this.#appender.address;
    }
    const { lib } = this.#connection.engine;
    const { columns, insert, rows } = this.#appended;
    const types = columns.map((_, i) => nativeHandle(this.#lib.vectorType(lib.chunkVector(chunk, i))));
    const names = columns.map(({ name }) => Buffer.from(new TextEncoder().encode(`${name}\0`).slice().buffer));
    try {
      const failed = this.#lib.createAppender(
        this.#connection.address,
        insert,
        columns.length,
        addressList(types.map(({ address }) => address)),
        rows,
        addressList(names.map((name) => lib.addressOf(name))),
        this.#appender.holder,
      );
      if (failed) {
        throw this.#appenderFailure();
      }
    } finally {
      for (const type of types) {
        lib.destroyType(type.holder);
      }
      keepUntilHere(names);
    }
    return this.#appender.address;
  }

  #appenderFailure(): StatusError {
    return this.#errorOf(this.#lib.appenderError(this.#appender.address));
  }

  #throwIfError(error: Address): void {
    if (error !== 0) {
      throw this.#errorOf(error);
    }
  }

  #errorOf(error: Address): StatusError {
    const { lib } = this.#connection.engine;
    try {
      return typedDuckDbError(this.#lib.errorType(error), lib.errorMessage(error));
    } finally {
      lib.destroyError(nativeHandle(error).holder);
    }
  }
}

let kept = 0;

/** A use of memory that native code was told of by address: without one, the garbage collector may free it before. */
function keepUntilHere(memory: CStructure | readonly ArrayBufferView[]): void {
  kept = 'memories' in memory ? memory.memories.length : memory.length;
  void kept;
}
