import { StatusError } from '@jetbridge/proto/status-error';
import { ConnectionCalls } from './connection-calls.ts';
import { duckDbError } from './duckdb-errors.ts';
import type { EncodeThreads } from './encode-threads.ts';
import { STREAM_AHEAD_SETTING } from './engine-limits.ts';
import type { Description } from './exported-schema.ts';
import type { KnownShapes } from './known-shapes.ts';
import { type Address, callAsync, type LibDuckDb } from './libduckdb.ts';
import { NativeHandle, type NativeReader } from './native-memory.ts';
import { resultMemory } from './result-memory.ts';

/** What everything of one engine shares. */
export interface NativeEngine {
  readonly lib: LibDuckDb;
  readonly reader: NativeReader;
  readonly threads: EncodeThreads;
  readonly known: KnownShapes<Description>;
}

/** A `duckdb_connection`, the order of the calls on it, and who occupies it. */
export class NativeConnection {
  readonly engine: NativeEngine;
  readonly calls: ConnectionCalls;
  /** Arrow export settings of this connection, for schemas that are needed before a result exists. */
  readonly arrowOptions = new NativeHandle();
  readonly #handle: NativeHandle;
  #state: 'free' | 'streaming' | 'closing' | 'closed' = 'free';

  constructor(engine: NativeEngine, handle: NativeHandle) {
    this.engine = engine;
    this.#handle = handle;
    this.calls = new ConnectionCalls(() => this.#interrupt());
  }

  get address(): Address {
    return this.#handle.address;
  }

  /** DuckDB ends an open stream without a word when anything else begins on its connection; here the newcomer is refused instead. */
  requireFree(): void {
    if (this.#state === 'closing' || this.#state === 'closed') {
      throw new StatusError('failed_precondition', 'The connection is closed');
    }
    if (this.#state === 'streaming') {
      throw new StatusError('failed_precondition', 'Another result is still being read on this connection; close it first');
    }
  }

  /** From now on nothing new begins; what is under way may end. */
  refuse(): void {
    if (this.#state !== 'closed') {
      this.#state = 'closing';
    }
  }

  occupy(): void {
    this.#state = 'streaming';
  }

  vacate(): void {
    if (this.#state === 'streaming') {
      this.#state = 'free';
    }
  }

  /** Reads the options again: a SET may have changed the time zone or the Arrow settings. */
  refreshArrowOptions(): Address {
    this.engine.lib.destroyArrowOptions(this.arrowOptions.holder);
    this.engine.lib.connectionArrowOptions(this.address, this.arrowOptions.holder);
    return this.arrowOptions.address;
  }

  /** Ends what an abandoned stream left behind: DuckDB keeps its query and its transaction until the next statement is prepared. */
  async endAbandoned(): Promise<void> {
    const { lib } = this.engine;
    const extracted = new NativeHandle();
    const statement = new NativeHandle();
    lib.extractStatements(this.address, 'SELECT 1', extracted.holder);
    await callAsync(lib.prepareExtracted, this.address, extracted.address, 0, statement.holder);
    lib.destroyPrepare(statement.holder);
    lib.destroyExtracted(extracted.holder);
  }

  /** Bounds what DuckDB computes ahead of a reader, whatever a statement on this connection has set. */
  async boundStreams(): Promise<void> {
    const { lib } = this.engine;
    const extracted = new NativeHandle();
    const statement = new NativeHandle();
    const memory = resultMemory();
    lib.extractStatements(this.address, `SET streaming_buffer_size = '${STREAM_AHEAD_SETTING}'`, extracted.holder);
    const failed =
      (await callAsync(lib.prepareExtracted, this.address, extracted.address, 0, statement.holder)) ||
      (await callAsync(lib.executePrepared, statement.address, memory));
    const reason = failed ? (lib.resultError(memory) ?? lib.prepareError(statement.address)) : undefined;
    lib.destroyResult(memory);
    lib.destroyPrepare(statement.holder);
    lib.destroyExtracted(extracted.holder);
    if (failed) {
      throw duckDbError(reason);
    }
  }

  /** Disconnects; nothing of this connection may be in use any more. */
  async disconnect(): Promise<void> {
    if (this.#state === 'closed') {
      return;
    }
    this.#state = 'closed';
    this.engine.lib.destroyArrowOptions(this.arrowOptions.holder);
    await callAsync(this.engine.lib.disconnect, this.#handle.holder);
  }

  #interrupt(): void {
    if (this.#state !== 'closed') {
      this.engine.lib.interrupt(this.address);
    }
  }
}
