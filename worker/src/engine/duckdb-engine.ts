import { StatusError } from '@jetbridge/proto/status-error';
import { DuckDbConnection } from './duckdb-connection.ts';
import { duckDbError } from './duckdb-errors.ts';
import { EncodeThreads } from './encode-threads.ts';
import type { Engine, EngineConnection } from './engine.ts';
import { ENCODE_THREADS_MAX } from './engine-limits.ts';
import { FrameBuffers } from './frame-buffers.ts';
import { KnownShapes } from './known-shapes.ts';
import { callAsync, type LibDuckDb, loadLibDuckDb } from './libduckdb.ts';
import { NativeConnection, type NativeEngine } from './native-connection.ts';
import { NativeHandle, NativeReader } from './native-memory.ts';

export interface DuckDbOptions {
  /** A database file, created when absent, or ':memory:'. */
  readonly path: string;
  readonly readOnly?: boolean;
  /** DuckDB's memory_limit. Exports and frames in flight come on top: about 6 MB per open stream. */
  readonly memoryLimitBytes?: number;
  readonly threads?: number;
  /** Where DuckDB spills; without it, it chooses a place beside the database. */
  readonly tempDirectory?: string;
  /** Further settings by DuckDB's own names, applied before the database opens. */
  readonly settings?: Readonly<Record<string, string>>;
}

/**
 * Arrow layouts which every client reads: 32-bit offsets, no views. Lossless conversion stays off, as in Python DuckDB: UUID is text,
 * BIT binary, HUGEINT decimal(38,0), TIME WITH TIME ZONE loses its offset.
 */
const ARROW_SETTINGS: Readonly<Record<string, string>> = {
  arrow_large_buffer_size: 'false',
  arrow_lossless_conversion: 'false',
  arrow_output_list_view: 'false',
  produce_arrow_string_view: 'false',
  arrow_output_version: '1.0',
};

/** Opens a database through DuckDB's C API. */
export async function openDuckDb(options: DuckDbOptions): Promise<Engine> {
  const lib = loadLibDuckDb();
  const threads = new EncodeThreads(ENCODE_THREADS_MAX, new FrameBuffers());
  try {
    const [database] = await Promise.all([openDatabase(lib, options), threads.warm()]);
    return new DuckDbEngine({ lib, reader: new NativeReader(lib), threads, known: new KnownShapes() }, database);
  } catch (error) {
    await threads.close();
    throw error;
  }
}

async function openDatabase(lib: LibDuckDb, options: DuckDbOptions): Promise<NativeHandle> {
  const config = new NativeHandle();
  if (lib.createConfig(config.holder)) {
    throw new StatusError('resource_exhausted', 'DuckDB could not allocate its configuration');
  }
  try {
    for (const [name, value] of Object.entries(settingsOf(options))) {
      if (lib.setConfig(config.address, name, value)) {
        throw new StatusError('invalid_argument', `DuckDB has no setting "${name}" that takes "${value}"`);
      }
    }
    const database = new NativeHandle();
    const error = new NativeHandle();
    if (await callAsync(lib.openExt, options.path, database.holder, config.address, error.holder)) {
      const message = error.address === 0 ? undefined : new NativeReader(lib).text(error.address);
      if (error.address !== 0) {
        lib.free(error.address);
      }
      throw duckDbError(message);
    }
    return database;
  } finally {
    lib.destroyConfig(config.holder);
  }
}

function settingsOf(options: DuckDbOptions): Record<string, string> {
  return {
    ...ARROW_SETTINGS,
    ...(options.readOnly ? { access_mode: 'READ_ONLY' } : {}),
    ...(options.memoryLimitBytes === undefined ? {} : { memory_limit: `${options.memoryLimitBytes}B` }),
    ...(options.threads === undefined ? {} : { threads: String(options.threads) }),
    ...(options.tempDirectory === undefined ? {} : { temp_directory: options.tempDirectory }),
    ...options.settings,
  };
}

/**
 * Node's exit waits for every native call that runs, so what computes is interrupted first. One listener for all engines: each would count
 * as a leak of listeners in a process that opens many.
 */
const open = new Set<{ readonly interrupt: () => void }>();
process.on('exit', () => {
  for (const engine of open) {
    engine.interrupt();
  }
});

class DuckDbEngine implements Engine {
  readonly #native: NativeEngine;
  readonly #database: NativeHandle;
  readonly #connections = new Set<DuckDbConnection>();
  #closing: Promise<void> | undefined;

  constructor(native: NativeEngine, database: NativeHandle) {
    this.#native = native;
    this.#database = database;
    open.add(this);
  }

  /** Interrupts everything that runs. */
  interrupt(): void {
    for (const connection of this.#connections) {
      connection.interrupt();
    }
  }

  async connect(): Promise<EngineConnection> {
    if (this.#closing) {
      throw new StatusError('failed_precondition', 'The engine is closed');
    }
    const handle = new NativeHandle();
    if (this.#native.lib.connect(this.#database.address, handle.holder)) {
      throw new StatusError('resource_exhausted', 'DuckDB could not open a connection');
    }
    const native = new NativeConnection(this.#native, handle);
    const connection = new DuckDbConnection(native, (closed) => this.#connections.delete(closed));
    this.#connections.add(connection);
    try {
      await native.calls.run(() => native.boundStreams());
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#connections].map((connection) => connection.close()));
    await this.#native.threads.close();
    open.delete(this);
    await callAsync(this.#native.lib.close, this.#database.holder);
  }
}
