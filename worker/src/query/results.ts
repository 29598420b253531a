import { StatusError } from '@jetbridge/proto/status-error';
import type { Schema } from 'apache-arrow';
import type { EngineResult, ParameterValue, ResultFrame } from '../engine/engine.ts';
import { OPENED_PER_SESSION_MAX, STORED_RESULT_BYTES_MAX, STORED_RESULTS_BYTES_MAX, TICKET_TTL_MS } from '../limits.ts';
import { forgetPreparation, type PreparedStatement } from './prepared.ts';

/** Rows that were computed exactly once and can be read until they expire. */
export interface StoredResult {
  readonly schema: Schema;
  readonly frames: readonly ResultFrame[];
  readonly rows: number;
  readonly bytes: number;
  readonly changedRows: number | undefined;
}

/** What a ticket stands for: a query still to be run, or the result of a statement that has run. */
export type OpenedStatement = (OpenedQuery | OpenedResult) & {
  readonly id: string;
  readonly expiresMs: number;
  /** Those who read it now; cancelling it aborts them. */
  readonly readers: Set<AbortController>;
};

interface OpenedQuery {
  readonly kind: 'query';
  readonly prepared: PreparedStatement;
  readonly values: readonly ParameterValue[];
  readonly schema: Schema;
  /** Nobody else has a handle of it, so it leaves with its ticket. */
  readonly anonymous: boolean;
}

interface OpenedResult {
  readonly kind: 'result';
  readonly result: StoredResult;
}

/** How many bytes stored results may take, over all sessions. */
export class StoredBudget {
  #bytes = 0;

  take(bytes: number): void {
    if (this.#bytes + bytes > STORED_RESULTS_BYTES_MAX) {
      throw new StatusError(
        'resource_exhausted',
        'too many unread results are stored on this worker; fetch results sooner or return fewer rows',
      );
    }
    this.#bytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** Reads a result to its end and keeps it; what is too big is refused and leaves nothing behind. Does not close the result. */
export async function storeResult(
  result: EngineResult,
  budget: StoredBudget,
  next: () => Promise<ResultFrame | undefined>,
): Promise<StoredResult> {
  const frames: ResultFrame[] = [];
  let bytes = 0;
  let rows = 0;
  try {
    for (let frame = await next(); frame !== undefined; frame = await next()) {
      budget.take(frame.bytes.length);
      frames.push(frame);
      bytes += frame.bytes.length;
      rows += frame.rows;
      if (bytes > STORED_RESULT_BYTES_MAX) {
        throw new StatusError(
          'resource_exhausted',
          `the rows this statement answers exceed ${STORED_RESULT_BYTES_MAX} bytes; answer fewer rows`,
        );
      }
    }
  } catch (thrown) {
    budget.giveBack(bytes);
    throw thrown;
  }
  return { schema: result.schema, frames, rows, bytes, changedRows: result.changedRows };
}

/** The opened statements of one session. The oldest leaves when there are too many. */
export class OpenedStatements {
  readonly #entries: Map<string, OpenedStatement> = new Map();
  readonly #budget: StoredBudget;
  readonly #nowMs: () => number;

  constructor(budget: StoredBudget, nowMs: () => number) {
    this.#budget = budget;
    this.#nowMs = nowMs;
  }

  add(id: string, content: OpenedQuery | OpenedResult): OpenedStatement {
    const opened: OpenedStatement = { ...content, id, expiresMs: this.#nowMs() + TICKET_TTL_MS, readers: new Set() };
    this.#entries.set(id, opened);
    for (const [oldest] of this.#entries) {
      if (this.#entries.size <= OPENED_PER_SESSION_MAX) {
        break;
      }
      this.drop(oldest);
    }
    return opened;
  }

  get(id: string): OpenedStatement | undefined {
    return this.#entries.get(id);
  }

  /** Idempotent. What is being read is dropped when its last reader leaves. */
  drop(id: string): void {
    const opened = this.#entries.get(id);
    this.#entries.delete(id);
    if (opened !== undefined && opened.readers.size === 0) {
      this.#free(opened);
    }
  }

  startReading(opened: OpenedStatement, reader: AbortController): void {
    opened.readers.add(reader);
  }

  stopReading(opened: OpenedStatement, reader: AbortController): void {
    opened.readers.delete(reader);
    if (opened.readers.size > 0) {
      return;
    }
    if (this.#entries.get(opened.id) !== opened) {
      this.#free(opened);
    } else if (opened.kind === 'query' && opened.anonymous) {
      // Hardly anybody reads it again before its ticket expires, and until then its statement would keep what it has computed.
      forgetPreparation(opened.prepared);
    }
  }

  #free(opened: OpenedStatement): void {
    if (opened.kind === 'result') {
      // The frames are not released for reuse: the last reader's socket may still hold them.
      this.#budget.giveBack(opened.result.bytes);
    } else if (opened.anonymous) {
      forgetPreparation(opened.prepared);
    }
  }

  sweep(): void {
    const nowMs = this.#nowMs();
    for (const [id, opened] of this.#entries) {
      if (opened.expiresMs > nowMs) {
        return;
      }
      this.drop(id);
    }
  }

  clear(): void {
    for (const [id, opened] of [...this.#entries]) {
      this.drop(id);
      for (const reader of opened.readers) {
        reader.abort(new StatusError('cancelled', 'the session was closed'));
      }
    }
  }
}
