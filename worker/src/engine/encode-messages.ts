import type { StatusCode } from '@jetbridge/proto/status-error';
import type { ColumnLayout } from './arrow-c-schema.ts';
import type { Address, ResultWords } from './libduckdb.ts';
import type { VectorLayout } from './vector-layout.ts';

/** What the engine and its encode threads tell each other. Everything is plain: a thread keeps nothing of a result between two jobs. */

export interface EncodeColumn {
  readonly layout: ColumnLayout;
  readonly vector: VectorLayout | undefined;
}

/** A fetched chunk and how many of its rows have been sent. */
export interface ChunkRest {
  readonly chunk: Address;
  readonly sent: number;
}

/** What a paused job leaves to the next one. */
export interface ResultLeft {
  readonly chunks: readonly ChunkRest[];
  readonly ending: ResultEnding | undefined;
}

/** What a fetch has told of the end of a result whose rows are not all sent yet. */
export interface ResultEnding {
  readonly failure: string | undefined;
}

export type JobSource =
  /** Runs a statement first. Its rows are encoded only when the result has this shape; the thread never owns the statement. */
  | { readonly kind: 'statement'; readonly statement: Address; readonly streaming: boolean; readonly shape: string | undefined }
  /** Goes on with a result where it was left. */
  | { readonly kind: 'result'; readonly words: ResultWords; readonly left: ResultLeft };

export interface EncodeJob {
  readonly kind: 'job';
  readonly id: number;
  readonly source: JobSource;
  readonly columns: readonly EncodeColumn[];
  /** Frames it may make before it pauses. */
  readonly credits: number;
  /** Used memory for them. */
  readonly memory: readonly ArrayBuffer[];
}

/** One more frame is wanted of a job that still runs; one that has paused ignores it. */
export interface MoreCredit {
  readonly kind: 'more';
  readonly id: number;
  readonly memory: ArrayBuffer | undefined;
}

export type ToThread = EncodeJob | MoreCredit;

export type Executed =
  /** Why DuckDB refused; nothing is left of the result. */
  | { readonly kind: 'failed'; readonly message: string | null }
  /** `matches`: the result has the expected shape, so its rows follow; otherwise the job has paused before the first. */
  | { readonly kind: 'opened'; readonly words: ResultWords; readonly matches: boolean };

/** How a job ended. */
export type JobOutcome =
  | { readonly kind: 'paused'; readonly left: ResultLeft }
  /** All rows are encoded and the result is destroyed. */
  | { readonly kind: 'ended' }
  /** DuckDB failed in mid-stream. */
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'refused'; readonly code: StatusCode; readonly message: string };

export interface MovedFrame {
  readonly memory: ArrayBuffer;
  readonly start: number;
  readonly end: number;
  readonly rows: number;
}

/** Whatever is known when a thread has something to tell; the parts come in this order over one job's messages. A new thread says id 0. */
export interface FromThread {
  readonly id: number;
  readonly executed?: Executed;
  readonly frame?: MovedFrame;
  readonly outcome?: JobOutcome;
  /** Memory that the job did not need, with its outcome. */
  readonly unused?: readonly ArrayBuffer[];
}
