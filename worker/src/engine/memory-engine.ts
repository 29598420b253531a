import { StatusError } from '@jetbridge/proto/status-error';
import { type Field, type RecordBatch, Schema } from 'apache-arrow';
import { recordBatchFrames } from '../arrow/record-batch-frames.ts';
import { interruptedError } from './connection-calls.ts';
import type { Engine, EngineConnection, EngineResult, EngineStatement, ParameterValue, ResultFrame } from './engine.ts';

/** What a SQL text does. `wait` is called before it runs and before each batch; its signal aborts on interruption. */
export type MemoryReply =
  | {
      readonly kind: 'rows';
      readonly schema: Schema;
      readonly batches: readonly RecordBatch[];
      readonly parameters?: readonly Field[];
      /** False for RETURNING and the like. */
      readonly readOnly?: boolean;
      /** Repeats the batches until it is interrupted. */
      readonly endless?: boolean;
      /** Fails after the last batch instead of ending. */
      readonly failure?: StatusError;
      readonly wait?: (signal: AbortSignal) => Promise<void>;
    }
  | {
      readonly kind: 'effect';
      readonly changedRows: number;
      readonly parameters?: readonly Field[];
      readonly failure?: StatusError;
      readonly wait?: (signal: AbortSignal) => Promise<void>;
    };

/** One run of a statement, as the engine saw it. */
export interface MemoryRun {
  readonly sql: string;
  readonly values: readonly ParameterValue[];
}

/** A scripted engine with the contract of the real one: one reply per SQL text. BEGIN, COMMIT and ROLLBACK need no script. */
export class MemoryEngine implements Engine {
  readonly runs: MemoryRun[] = [];
  readonly #replies: (sql: string) => MemoryReply | undefined;
  readonly #connections = new Set<MemoryConnection>();
  #closed = false;

  constructor(replies: (sql: string) => MemoryReply | undefined) {
    this.#replies = replies;
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#connections.size;
  }

  async connect(): Promise<EngineConnection> {
    if (this.#closed) {
      throw new StatusError('failed_precondition', 'The engine is closed');
    }
    const connection = new MemoryConnection(this.#replies, this.runs, (closed) => this.#connections.delete(closed));
    this.#connections.add(connection);
    return connection;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#connections].map((connection) => connection.close()));
  }
}

const TRANSACTION = /^\s*(begin|commit|rollback)\b/i;

class MemoryConnection implements EngineConnection {
  readonly #replies: (sql: string) => MemoryReply | undefined;
  readonly #runs: MemoryRun[];
  readonly #onClosed: (connection: MemoryConnection) => void;
  #interruption = new AbortController();
  #inTransaction = false;
  #occupied = false;
  #closed = false;

  constructor(replies: (sql: string) => MemoryReply | undefined, runs: MemoryRun[], onClosed: (connection: MemoryConnection) => void) {
    this.#replies = replies;
    this.#runs = runs;
    this.#onClosed = onClosed;
  }

  async prepare(sql: string): Promise<EngineStatement> {
    this.#requireFree();
    const reply = TRANSACTION.test(sql) ? ({ kind: 'effect', changedRows: 0 } as const) : this.#replies(sql);
    if (!reply) {
      throw new StatusError('invalid_argument', `No reply is scripted for: ${sql}`);
    }
    return new MemoryStatement(reply, (mode, values) => this.#run(sql, reply, mode, values));
  }

  async execute(script: string): Promise<void> {
    for (const sql of script.split(';').filter((text) => text.trim() !== '')) {
      const statement = await this.prepare(sql.trim());
      await (await statement.execute('stored')).close();
    }
  }

  appender(): never {
    throw new StatusError('unimplemented', 'The engine in memory has no tables');
  }

  interrupt(): void {
    this.#interruption.abort(interruptedError());
    this.#interruption = new AbortController();
  }

  inTransaction(): boolean {
    return this.#inTransaction;
  }

  async close(): Promise<void> {
    if (this.#closed) {
      return;
    }
    this.interrupt();
    this.#closed = true;
    this.#onClosed(this);
  }

  async #run(sql: string, reply: MemoryReply, mode: 'stream' | 'stored', values: readonly ParameterValue[]): Promise<EngineResult> {
    this.#requireFree();
    this.#runs.push({ sql, values });
    const { signal } = this.#interruption;
    await interruptible(reply.wait?.(signal), signal);
    if (reply.kind === 'effect') {
      if (reply.failure) {
        throw reply.failure;
      }
      if (TRANSACTION.test(sql)) {
        this.#followTransaction(sql);
      }
      return {
        schema: new Schema([]),
        changedRows: reply.changedRows,
        next: () => Promise.resolve(undefined),
        close: () => Promise.resolve(),
      };
    }
    this.#occupied = mode === 'stream';
    return new MemoryResult(reply, signal, () => {
      if (mode === 'stream') {
        this.#occupied = false;
      }
    });
  }

  #requireFree(): void {
    if (this.#closed) {
      throw new StatusError('failed_precondition', 'The connection is closed');
    }
    if (this.#occupied) {
      throw new StatusError('failed_precondition', 'Another result is still being read on this connection; close it first');
    }
  }

  #followTransaction(sql: string): void {
    const begins = /^\s*begin/i.test(sql);
    if (begins === this.#inTransaction) {
      throw new StatusError('failed_precondition', begins ? 'cannot start a transaction within a transaction' : 'no transaction is active');
    }
    this.#inTransaction = begins;
  }
}

class MemoryStatement implements EngineStatement {
  readonly kind: 'rows' | 'effect';
  readonly schema: Schema;
  readonly parameters: readonly Field[];
  readonly readOnly: boolean;
  readonly #run: (mode: 'stream' | 'stored', values: readonly ParameterValue[]) => Promise<EngineResult>;
  #values: readonly ParameterValue[] = [];
  #closed = false;

  constructor(reply: MemoryReply, run: (mode: 'stream' | 'stored', values: readonly ParameterValue[]) => Promise<EngineResult>) {
    this.kind = reply.kind;
    this.schema = reply.kind === 'rows' ? reply.schema : new Schema([]);
    this.parameters = reply.parameters ?? [];
    this.readOnly = reply.kind === 'rows' && (reply.readOnly ?? true);
    this.#run = run;
  }

  bind(values: readonly ParameterValue[]): void {
    if (values.length !== this.parameters.length) {
      throw new StatusError(
        'invalid_argument',
        `The statement has ${this.parameters.length} parameters, but ${values.length} values were given`,
      );
    }
    this.#values = values;
  }

  async execute(mode: 'stream' | 'stored'): Promise<EngineResult> {
    if (this.#closed) {
      throw new StatusError('failed_precondition', 'The statement is closed');
    }
    return this.#run(mode, this.#values);
  }

  close(): void {
    this.#closed = true;
  }
}

class MemoryResult implements EngineResult {
  readonly schema: Schema;
  readonly changedRows = undefined;
  readonly #reply: Extract<MemoryReply, { kind: 'rows' }>;
  readonly #interruption: AbortSignal;
  readonly #onEnded: () => void;
  #queue: ResultFrame[] = [];
  #round = 0;
  #closed = false;
  #ended = false;

  constructor(reply: Extract<MemoryReply, { kind: 'rows' }>, interruption: AbortSignal, onEnded: () => void) {
    this.schema = reply.schema;
    this.#reply = reply;
    this.#interruption = interruption;
    this.#onEnded = onEnded;
  }

  async next(): Promise<ResultFrame | undefined> {
    if (this.#closed) {
      throw new StatusError('cancelled', 'The result is closed');
    }
    await interruptible(this.#reply.wait?.(this.#interruption), this.#interruption);
    if (this.#queue.length === 0 && (this.#round === 0 || this.#reply.endless)) {
      this.#round++;
      this.#queue = this.#reply.batches.flatMap((batch) => recordBatchFrames(this.schema, batch));
    }
    const frame = this.#queue.shift();
    if (!frame && this.#reply.failure) {
      throw this.#reply.failure;
    }
    if (!frame) {
      this.#end();
    }
    return frame;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#end();
  }

  #end(): void {
    if (this.#ended) {
      return;
    }
    this.#ended = true;
    this.#onEnded();
  }
}

async function interruptible(wait: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!wait) {
    return;
  }
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([wait, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
