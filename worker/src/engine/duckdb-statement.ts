import { StatusError } from '@jetbridge/proto/status-error';
import { type Field, Schema } from 'apache-arrow';
import { interruptedError } from './connection-calls.ts';
import { duckDbError } from './duckdb-errors.ts';
import { bindParameters, requireBindable } from './duckdb-parameters.ts';
import type { PreparedStatement } from './duckdb-prepare.ts';
import { DuckDbResult, orderOf, type ResultColumns } from './duckdb-result.ts';
import type { EngineResult, EngineStatement, ParameterValue } from './engine.ts';
import { FRAMES_AHEAD } from './engine-limits.ts';
import { describeColumns, schemaOf } from './exported-schema.ts';
import { FrameQueue } from './frame-queue.ts';
import { type Address, callAsync, type ResultWords } from './libduckdb.ts';
import { findLostReason, reasonUnknown } from './lost-reason.ts';
import type { NativeConnection } from './native-connection.ts';
import { nativeHandle } from './native-memory.ts';
import { memoryOf, resultMemory, wordsOf } from './result-memory.ts';
import { isReadOnly, isSetting, isTransactionControl, kindOf } from './statement-kind.ts';

const RETURNS_CHANGED_ROWS = 1;

/** What a statement tells its connection. */
export interface StatementEvents {
  readonly resultOpened: (result: DuckDbResult) => void;
  readonly resultClosed: (result: DuckDbResult) => void;
  readonly transactionControlled: (failure: StatusError | undefined) => void;
  readonly statementClosed: (statement: DuckDbStatement) => void;
}

/** One prepared statement. Values are bound when it runs, because binding must not meet a run that is under way. */
export class DuckDbStatement implements EngineStatement {
  readonly kind: 'rows' | 'effect';
  readonly schema: Schema;
  readonly parameters: readonly Field[];
  readonly readOnly: boolean;
  readonly #connection: NativeConnection;
  readonly #prepared: PreparedStatement;
  readonly #events: StatementEvents;
  #values: readonly ParameterValue[] = [];
  #closed = false;

  constructor(connection: NativeConnection, prepared: PreparedStatement, sql: string, events: StatementEvents) {
    this.#connection = connection;
    this.#prepared = prepared;
    this.#events = events;
    this.kind = kindOf(prepared.statementType, prepared.columns);
    this.schema = this.kind === 'rows' ? prepared.schema : new Schema([]);
    this.parameters = prepared.parameters.map((parameter) => parameter.field);
    this.readOnly = isReadOnly(prepared.statementType, sql);
  }

  bind(values: readonly ParameterValue[]): void {
    requireBindable(values, this.#prepared.parameters);
    this.#values = values;
  }

  execute(mode: 'stream' | 'stored'): Promise<EngineResult> {
    const values = this.#values;
    if (this.kind === 'effect') {
      return this.#connection.calls.run((wasInterrupted) => this.#effect(values, wasInterrupted));
    }
    // The turn lasts until the first rows are there; the result is answered before.
    const opened = Promise.withResolvers<EngineResult>();
    const turn = this.#connection.calls.run((wasInterrupted) => this.#rows(mode === 'stream', values, wasInterrupted, opened.resolve));
    turn.catch(opened.reject);
    return opened.promise;
  }

  close(): void {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#events.statementClosed(this);
    const { lib } = this.#connection.engine;
    void this.#connection.calls.finish(() => lib.destroyPrepare(this.#prepared.handle.holder));
  }

  #bind(values: readonly ParameterValue[]): Address {
    this.#connection.requireFree();
    if (this.#closed) {
      throw new StatusError('failed_precondition', 'The statement is closed');
    }
    const statement = this.#prepared.handle.address;
    bindParameters(this.#connection.engine.lib, statement, values, this.#prepared.parameters);
    return statement;
  }

  async #effect(values: readonly ParameterValue[], wasInterrupted: () => boolean): Promise<EngineResult> {
    const { lib } = this.#connection.engine;
    const statement = this.#bind(values);
    const memory = resultMemory();
    const failed = await callAsync(lib.executePrepared, statement, memory);
    let failure = failed ? duckDbError(lib.resultError(memory)) : undefined;
    if (isTransactionControl(this.#prepared.statementType)) {
      this.#events.transactionControlled(failure);
    } else if (!failure && wasInterrupted()) {
      failure = interruptedError();
    }
    const counted = !failure && lib.resultReturnType(wordsOf(memory)) === RETURNS_CHANGED_ROWS;
    const changedRows = counted ? Number(lib.rowsChanged(memory)) : 0;
    lib.destroyResult(memory);
    if (failure) {
      throw failure;
    }
    if (isSetting(this.#prepared.statementType)) {
      await this.#connection.boundStreams();
    }
    return { schema: this.schema, changedRows, next: () => Promise.resolve(undefined), close: () => Promise.resolve() };
  }

  async #rows(
    streaming: boolean,
    values: readonly ParameterValue[],
    wasInterrupted: () => boolean,
    opened: (result: EngineResult) => void,
  ): Promise<void> {
    const statement = this.#bind(values);
    const { columns, shape } = this.#prepared;
    const frames = new FrameQueue();
    const source = { kind: 'statement', statement, streaming, shape } as const;
    const thread = this.#connection.engine.threads.run(orderOf(source, columns, FRAMES_AHEAD, frames));
    const executed = await thread.executed;
    if (executed.kind === 'failed') {
      throw duckDbError(executed.message);
    }
    const { words, matches } = executed;
    const lostReason = (wasInterrupted: () => boolean): Promise<StatusError> => this.#lostReason(wasInterrupted);
    const native = { words, streaming, frames, lostReason };
    if (streaming) {
      this.#connection.occupy();
    }
    const described = matches ? { schema: this.schema, columns, failure: undefined } : this.#columnsOf(words);
    const result = new DuckDbResult(this.#connection, native, described, this.#events.resultClosed);
    const settled = result.follow(thread, wasInterrupted);
    const failure = wasInterrupted() ? interruptedError() : described.failure;
    if (failure) {
      await result.discard();
      throw failure;
    }
    this.#events.resultOpened(result);
    opened(result);
    await settled;
  }

  async #lostReason(wasInterrupted: () => boolean): Promise<StatusError> {
    if (this.#closed || !this.readOnly) {
      return reasonUnknown();
    }
    return findLostReason(this.#connection.engine.lib, this.#prepared.handle.address, wasInterrupted);
  }

  /** What the result has when that is not what was prepared: bound values, or what happened since, have decided otherwise. */
  #columnsOf(words: ResultWords): ResultColumns & { readonly failure: unknown } {
    const { lib } = this.#connection.engine;
    const { wrapped, columns } = this.#prepared;
    const memory = memoryOf(words);
    const names = Array.from({ length: lib.resultColumnCount(memory) }, (_, i) => ({
      name: lib.resultColumnName(memory, i),
      type: lib.resultColumnLogicalType(memory, i),
    }));
    const options = nativeHandle(lib.resultArrowOptions(memory));
    try {
      const described = describeColumns(this.#connection.engine, options.address, names, 'result');
      if (!wrapped) {
        return { ...described, failure: undefined };
      }
      const named = described.columns.map((column, i) => ({ ...column, field: columns[i]?.field ?? column.field }));
      return { schema: schemaOf(named), columns: named, failure: undefined };
    } catch (failure) {
      return { schema: new Schema([]), columns: [], failure };
    } finally {
      lib.destroyArrowOptions(options.holder);
    }
  }
}
