import type { StatusError } from '@jetbridge/proto/status-error';
import { interruptedError } from './connection-calls.ts';
import { DuckDbAppender } from './duckdb-appender.ts';
import { duckDbError } from './duckdb-errors.ts';
import { forEachStatement, prepareOne, requireSql } from './duckdb-prepare.ts';
import type { DuckDbResult } from './duckdb-result.ts';
import { DuckDbStatement, type StatementEvents } from './duckdb-statement.ts';
import type { AppendedRows, EngineAppender, EngineConnection, EngineStatement } from './engine.ts';
import { callAsync } from './libduckdb.ts';
import type { NativeConnection } from './native-connection.ts';
import type { NativeHandle } from './native-memory.ts';
import { isTransactionControl } from './statement-kind.ts';

/** A connection to DuckDB. */
export class DuckDbConnection implements EngineConnection {
  readonly #native: NativeConnection;
  readonly #onClosed: (connection: DuckDbConnection) => void;
  readonly #results = new Set<DuckDbResult>();
  readonly #statements = new Set<DuckDbStatement>();
  readonly #appenders = new Set<DuckDbAppender>();
  readonly #events: StatementEvents = {
    resultOpened: (result) => this.#results.add(result),
    resultClosed: (result) => this.#results.delete(result),
    transactionControlled: (failure) => this.#followTransaction(failure),
    statementClosed: (statement) => this.#statements.delete(statement),
  };
  #inTransaction = false;
  #closing: Promise<void> | undefined;

  constructor(native: NativeConnection, onClosed: (connection: DuckDbConnection) => void) {
    this.#native = native;
    this.#onClosed = onClosed;
  }

  async prepare(sql: string): Promise<EngineStatement> {
    requireSql(sql);
    const prepared = await this.#native.calls.run((wasInterrupted) => {
      this.#native.requireFree();
      return prepareOne(this.#native, sql, wasInterrupted);
    });
    const statement = new DuckDbStatement(this.#native, prepared, sql, this.#events);
    this.#statements.add(statement);
    if (this.#closing) {
      statement.close();
    }
    return statement;
  }

  async execute(script: string): Promise<void> {
    requireSql(script);
    await this.#native.calls.run(async (wasInterrupted) => {
      this.#native.requireFree();
      await forEachStatement(this.#native, script, (statement) => this.#runOnce(statement, wasInterrupted));
    });
  }

  appender(appended: AppendedRows): EngineAppender {
    requireSql(appended.insert);
    const appender = new DuckDbAppender(this.#native, appended, (closed) => this.#appenders.delete(closed));
    this.#appenders.add(appender);
    return appender;
  }

  interrupt(): void {
    this.#native.calls.interrupt();
  }

  inTransaction(): boolean {
    return this.#inTransaction;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#native.refuse();
    this.interrupt();
    await Promise.all([...this.#results].map((result) => result.close()));
    for (const statement of this.#statements) {
      statement.close();
    }
    await Promise.all([...this.#appenders].map((appender) => appender.close()));
    await this.#native.calls.finish(() => this.#native.disconnect());
    this.#onClosed(this);
  }

  async #runOnce(statement: NativeHandle, wasInterrupted: () => boolean): Promise<void> {
    const { lib } = this.#native.engine;
    const memory = new Uint8Array(new ArrayBuffer(48));
    try {
      const failed = await callAsync(lib.executePrepared, statement.address, memory);
      const failure = failed ? duckDbError(lib.resultError(memory)) : undefined;
      if (isTransactionControl(lib.statementType(statement.address))) {
        this.#followTransaction(failure);
      }
      if (failure) {
        throw failure;
      }
      if (wasInterrupted()) {
        throw interruptedError();
      }
    } finally {
      await callAsync(lib.destroyResult, memory);
      lib.destroyPrepare(statement.holder);
    }
  }

  /**
   * DuckDB has no call that tells whether a transaction is open, but its statements do: BEGIN succeeds only outside of one, COMMIT and
   * ROLLBACK only inside, and each failure of theirs leaves none open but two: BEGIN within a transaction, and an interruption that came first.
   */
  #followTransaction(failure: StatusError | undefined): void {
    if (!failure) {
      this.#inTransaction = !this.#inTransaction;
    } else if (failure.code !== 'cancelled' && !failure.message.includes('within a transaction')) {
      this.#inTransaction = false;
    }
  }
}
