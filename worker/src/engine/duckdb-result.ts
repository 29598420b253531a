import { StatusError } from '@jetbridge/proto/status-error';
import type { Schema } from 'apache-arrow';
import { ConnectionCalls, interruptedError } from './connection-calls.ts';
import { duckDbError } from './duckdb-errors.ts';
import type { JobOutcome, JobSource, ResultLeft } from './encode-messages.ts';
import type { EngineResult, ResultFrame } from './engine.ts';
import { FRAMES_AHEAD } from './engine-limits.ts';
import type { DescribedColumn } from './exported-schema.ts';
import type { FrameQueue } from './frame-queue.ts';
import { callAsync, type ResultWords } from './libduckdb.ts';
import type { NativeConnection } from './native-connection.ts';
import { nativeHandle } from './native-memory.ts';
import { memoryOf } from './result-memory.ts';
import type { JobOrder, ThreadJob } from './thread-job.ts';

/** Everything a result holds of DuckDB, and what else it needs. */
export interface NativeResult {
  readonly words: ResultWords;
  readonly streaming: boolean;
  readonly frames: FrameQueue;
  /** Why the statement failed when DuckDB says only that it was interrupted, and nobody interrupted it. */
  readonly lostReason: (wasInterrupted: () => boolean) => Promise<StatusError>;
}

/** What a result's rows are; the statement's own schema where that is the same, because its messages exist already. */
export interface ResultColumns {
  readonly schema: Schema;
  readonly columns: readonly DescribedColumn[];
}

/** An order for an encode thread whose frames go into a queue. */
export function orderOf(source: JobSource, columns: readonly DescribedColumn[], credits: number, frames: FrameQueue): JobOrder {
  return {
    source,
    columns: columns.map(({ layout, vector }) => ({ layout, vector })),
    credits,
    onFrame: (frame) => frames.push(frame),
  };
}

/**
 * A result set. Its frames are made by jobs of the encode threads, a few ahead of the consumer, so that the engine computes while the socket
 * drains; a job pauses when nobody takes them. A stream uses its connection's turn for every job; a stored result has turns of its own and
 * leaves the connection free.
 */
export class DuckDbResult implements EngineResult {
  readonly schema: Schema;
  readonly changedRows = undefined;
  readonly #connection: NativeConnection;
  readonly #native: NativeResult;
  readonly #columns: readonly DescribedColumn[];
  readonly #calls: ConnectionCalls;
  readonly #onClosed: (result: DuckDbResult) => void;
  #left: ResultLeft = { chunks: [], ending: undefined };
  /** The thread has destroyed the result, because it came to its end. */
  #ended = false;
  #job: { readonly thread: ThreadJob | undefined; readonly settled: Promise<void> } | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    connection: NativeConnection,
    native: NativeResult,
    { schema, columns }: ResultColumns,
    onClosed: (result: DuckDbResult) => void,
  ) {
    this.schema = schema;
    this.#connection = connection;
    this.#native = native;
    this.#columns = columns;
    this.#calls = native.streaming ? connection.calls : new ConnectionCalls(() => undefined);
    this.#onClosed = onClosed;
  }

  /** Goes on with the job that executed the statement; settles when it has ended. Runs within a turn of the connection. */
  follow(thread: ThreadJob, wasInterrupted: () => boolean): Promise<void> {
    const settled = thread.done.then((outcome) => this.#settle(outcome, wasInterrupted)).catch((error: unknown) => this.#fail(error));
    // A stored result must leave the connection: that job makes what it was asked for, the next one has a turn of its own.
    this.#job = { thread: this.#native.streaming ? thread : undefined, settled };
    return settled;
  }

  async next(): Promise<ResultFrame | undefined> {
    if (this.#closing) {
      throw closedError();
    }
    const next = this.#native.frames.next();
    this.#demand();
    const frame = await next;
    if (this.#closing) {
      frame?.release();
      throw closedError();
    }
    return frame;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes a result that nobody has seen, within the turn that executed its statement. */
  async discard(): Promise<void> {
    this.#closing ??= Promise.resolve();
    await this.#job?.settled;
    await this.#free();
  }

  async #close(): Promise<void> {
    if (this.#native.streaming && !this.#ended) {
      this.#calls.interrupt();
    }
    // Who has read to the end is told nothing more, and an error costs more than all else here.
    if (this.#native.frames.isOpen) {
      this.#native.frames.end({ kind: 'failed', error: closedError() });
    }
    await this.#job?.settled;
    await this.#calls.finish(() => this.#free());
    this.#onClosed(this);
  }

  async #free(): Promise<void> {
    this.#native.frames.drop();
    if (this.#ended) {
      return;
    }
    const { lib } = this.#connection.engine;
    for (const { chunk } of this.#left.chunks) {
      lib.destroyChunk(nativeHandle(chunk).holder);
    }
    await callAsync(lib.destroyResult, memoryOf(this.#native.words));
    if (this.#native.streaming) {
      await this.#connection.endAbandoned();
      this.#connection.vacate();
    }
  }

  /** Sees to it that frames are made while some are wanted. */
  #demand(): void {
    if (this.#job) {
      // Whoever else wants the connection gets it when this job pauses.
      if (!this.#calls.contended) {
        this.#job.thread?.more();
      }
      return;
    }
    if (!this.#closing && this.#native.frames.isOpen && this.#native.frames.ahead < FRAMES_AHEAD - 1) {
      this.#start();
    }
  }

  #start(): void {
    let thread: ThreadJob | undefined;
    const settled = this.#calls
      .run(async (wasInterrupted) => {
        const { words, frames } = this.#native;
        const credits = Math.max(FRAMES_AHEAD - frames.ahead, 1);
        thread = this.#connection.engine.threads.run(orderOf({ kind: 'result', words, left: this.#left }, this.#columns, credits, frames));
        this.#job = { thread, settled };
        await this.#settle(await thread.done, wasInterrupted);
      })
      .catch((error: unknown) => this.#fail(error));
    this.#job = { thread, settled };
  }

  async #settle(outcome: JobOutcome, wasInterrupted: () => boolean): Promise<void> {
    const { streaming, frames } = this.#native;
    this.#job = undefined;
    switch (outcome.kind) {
      case 'paused':
        this.#left = outcome.left;
        break;
      case 'ended':
        this.#ended = true;
        // DuckDB has ended the query itself, so the connection is free although the result is still to be closed.
        if (streaming) {
          this.#connection.vacate();
        }
        break;
      case 'failed':
        this.#left = { chunks: [], ending: undefined };
        throw await this.#failure(outcome.message, wasInterrupted);
      case 'refused':
        this.#left = { chunks: [], ending: undefined };
        throw new StatusError(outcome.code, outcome.message);
    }
    if (streaming && wasInterrupted()) {
      throw interruptedError();
    }
    if (this.#ended) {
      frames.end({ kind: 'ended' });
    } else if (!this.#closing) {
      this.#demand();
    }
  }

  #fail(error: unknown): void {
    this.#job = undefined;
    this.#native.frames.end({ kind: 'failed', error });
  }

  async #failure(message: string, wasInterrupted: () => boolean): Promise<StatusError> {
    const told = duckDbError(message);
    const isLost = told.code === 'cancelled' && this.#native.streaming && !wasInterrupted();
    return isLost ? this.#native.lostReason(wasInterrupted) : told;
  }
}

function closedError(): StatusError {
  return new StatusError('cancelled', 'The result is closed');
}
