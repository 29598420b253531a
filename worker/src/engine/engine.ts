import type { Field, Schema } from 'apache-arrow';
import type { ImportedBatch } from '../arrow/import-array.ts';
import type { ImportColumn } from '../arrow/import-type.ts';

/**
 * What the worker needs of a SQL engine. Two implementations exist: DuckDB through its C API, and one in memory for tests.
 *
 * Every failure is a `StatusError`: syntax and binding errors are `invalid_argument`, missing objects `not_found`,
 * duplicates `already_exists`, interruption `cancelled`, exhausted memory or disk `resource_exhausted`.
 */
export interface Engine {
  /** A new connection with its own settings, temporary objects and transaction. */
  connect(): Promise<EngineConnection>;
  /** Interrupts everything that runs and frees the engine. Idempotent. */
  close(): Promise<void>;
}

export interface EngineConnection {
  /** Prepares exactly one statement; none or several are `invalid_argument`. */
  prepare(sql: string): Promise<EngineStatement>;
  /** Runs a script of statements for its effects only. */
  execute(script: string): Promise<void>;
  /** Begins to append Arrow rows to a table. */
  appender(appended: AppendedRows): EngineAppender;
  /** Makes whatever runs on this connection end with `cancelled`; harmless when nothing runs. */
  interrupt(): void;
  /** True while a transaction begun by SQL is open. */
  inTransaction(): boolean;
  /** Ends open results and frees the connection. Idempotent. */
  close(): Promise<void>;
}

/** How rows get into a table. */
export interface AppendedRows {
  readonly columns: readonly ImportColumn[];
  /** An INSERT that takes its rows from the table `rows`. It runs once per some hundred thousand of them. */
  readonly insert: string;
  /** What the insert calls the rows. */
  readonly rows: string;
}

/** Rows are in the table when `finish` has resolved; in a transaction, so that a failure before leaves none of them. */
export interface EngineAppender {
  /** Takes a batch over; its memory is free when this resolves. Batches are appended one after the other. */
  append(batch: ImportedBatch): Promise<void>;
  /** Appends what is still held back. */
  finish(): Promise<void>;
  /** Drops what is still held back and frees everything. Idempotent; call it before the transaction ends. */
  close(): Promise<void>;
}

/** A value for one `?` or `$n`, already decoded from Arrow. */
export type ParameterValue =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'decimal'; readonly unscaled: bigint; readonly precision: number; readonly scale: number }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'binary'; readonly value: Uint8Array }
  | { readonly kind: 'date'; readonly days: number }
  | { readonly kind: 'time'; readonly micros: bigint }
  | { readonly kind: 'timestamp'; readonly micros: bigint; readonly zoned: boolean }
  /** Only where microseconds would lose something. */
  | { readonly kind: 'time_ns'; readonly nanos: bigint }
  | { readonly kind: 'timestamp_ns'; readonly nanos: bigint }
  | { readonly kind: 'interval'; readonly months: number; readonly days: number; readonly micros: bigint };

export interface EngineStatement {
  /** `rows`: answers a result set (RETURNING included); `effect`: changes something and answers a count or nothing. */
  readonly kind: 'rows' | 'effect';
  /** Arrow schema of the result set; without fields when `kind` is `effect`. */
  readonly schema: Schema;
  /** One field per parameter, with the type the engine infers (utf8 where it cannot). */
  readonly parameters: readonly Field[];
  /** True when the statement must be run again in full to be read again: only SELECT-like statements are safe to re-run. */
  readonly readOnly: boolean;
  /** Sets every parameter; a wrong count or an impossible type is `invalid_argument`. */
  bind(values: readonly ParameterValue[]): void;
  /**
   * Runs the bound statement. `stream` computes rows as they are read and occupies the connection until the result ends;
   * `stored` computes everything first and leaves the connection free.
   */
  execute(mode: 'stream' | 'stored'): Promise<EngineResult>;
  /** Frees the statement; open results of it stay readable. Idempotent. */
  close(): void;
}

export interface EngineResult {
  /** Schema of the rows as sent; may be more exact than the statement's when parameters decide types. */
  readonly schema: Schema;
  /** Rows changed by an `effect` statement, 0 for DDL, undefined for result sets. */
  readonly changedRows: number | undefined;
  /** The next batch; undefined at the true end. Rejects when the engine fails in mid-stream: a short result is never an end. */
  next(): Promise<ResultFrame | undefined>;
  /** Interrupts the computation where it still runs and frees everything. Idempotent. */
  close(): Promise<void>;
}

/** One record batch as a complete gRPC message holding a FlightData, ready for the socket. */
export interface ResultFrame {
  readonly bytes: Buffer;
  readonly rows: number;
  /** Call once the bytes have left (the write callback); the memory is reused then. */
  release(): void;
}
