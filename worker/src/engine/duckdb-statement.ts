import { StatusError } from '@jetbridge/proto/status-error';
import { type Field, Schema } from 'apache-arrow';
import { interruptedError } from './connection-calls.ts';
import { duckDbError } from './duckdb-errors.ts';
import { bindParameters, requireBindable } from './duckdb-parameters.ts';
import type { PreparedStatement } from './duckdb-prepare.ts';
import { DuckDbResult } from './duckdb-result.ts';
import type { EngineResult, EngineStatement, ParameterValue } from './engine.ts';
import { type DescribedColumn, exportColumns } from './exported-schema.ts';
import { callAsync } from './libduckdb.ts';
import { findLostReason, reasonUnknown } from './lost-reason.ts';
import type { NativeConnection } from './native-connection.ts';
import { nativeHandle } from './native-memory.ts';
import { resultMemory, wordsOf } from './result-memory.ts';
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
    this.schema = new Schema(this.kind === 'rows' ? prepared.columns.map((column) => column.field) : []);
    this.parameters = prepared.parameters.map((parameter) => parameter.field);
    this.readOnly = isReadOnly(prepared.statementType, sql);
  }

  bind(values: readonly ParameterValue[]): void {
    requireBindable(values, this.#prepared.parameters);
    this.#values = values;
  }

  execute(mode: 'stream' | 'stored'): Promise<EngineResult> {
    const values = this.#values;
    return this.#connection.calls.run((wasInterrupted) => this.#execute(mode, values, wasInterrupted));
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

  async #execute(mode: 'stream' | 'stored', values: readonly ParameterValue[], wasInterrupted: () => boolean): Promise<EngineResult> {
    this.#connection.requireFree();
    if (this.#closed) {
      throw new StatusError('failed_precondition', 'The statement is closed');
    }
    const { lib } = this.#connection.engine;
    const statement = this.#prepared.handle.address;
    bindParameters(lib, statement, values, this.#prepared.parameters);
    const streaming = this.kind === 'rows' && mode === 'stream';
    const memory = resultMemory();
    const failed = await callAsync(streaming ? lib.executeStreaming : lib.executePrepared, statement, memory);
    const failure = failed ? duckDbError(lib.resultError(memory)) : undefined;
    if (isTransactionControl(this.#prepared.statementType)) {
      this.#events.transactionControlled(failure);
    } else if (!failure && wasInterrupted()) {
      return this.#discard(memory, interruptedError());
    }
    if (failure) {
      return this.#discard(memory, failure);
    }
    if (isSetting(this.#prepared.statementType)) {
      await this.#connection.boundStreams();
    }
    return this.kind === 'effect' ? this.#effect(memory) : this.#rows(memory, streaming);
  }

  async #discard(memory: Uint8Array<ArrayBuffer>, failure: StatusError): Promise<never> {
    await callAsync(this.#connection.engine.lib.destroyResult, memory);
    throw failure;
  }

  #effect(memory: Uint8Array<ArrayBuffer>): EngineResult {
    const { lib } = this.#connection.engine;
    const counted = lib.resultReturnType(wordsOf(memory)) === RETURNS_CHANGED_ROWS;
    const changedRows = counted ? Number(lib.rowsChanged(memory)) : 0;
    lib.destroyResult(memory);
    return { schema: this.schema, changedRows, next: () => Promise.resolve(undefined), close: () => Promise.resolve() };
  }

  async #rows(memory: Uint8Array<ArrayBuffer>, streaming: boolean): Promise<EngineResult> {
    const { lib } = this.#connection.engine;
    const arrowOptions = nativeHandle(lib.resultArrowOptions(memory));
    try {
      const columns = this.#resultColumns(memory, arrowOptions.address);
      const lostReason = (wasInterrupted: () => boolean): Promise<StatusError> => this.#lostReason(wasInterrupted);
      const native = { words: wordsOf(memory), memory, arrowOptions, streaming, lostReason };
      const result = new DuckDbResult(this.#connection, native, columns, this.#events.resultClosed);
      if (streaming) {
        this.#connection.occupy();
      }
      this.#events.resultOpened(result);
      return result;
    } catch (error) {
      lib.destroyArrowOptions(arrowOptions.holder);
      await callAsync(lib.destroyResult, memory);
      if (streaming) {
        await this.#connection.endAbandoned();
      }
      throw error;
    }
  }

  async #lostReason(wasInterrupted: () => boolean): Promise<StatusError> {
    if (this.#closed || !this.readOnly) {
      return reasonUnknown();
    }
    return findLostReason(this.#connection.engine.lib, this.#prepared.handle.address, wasInterrupted);
  }

  #resultColumns(memory: Uint8Array, options: number): readonly DescribedColumn[] {
    const { lib } = this.#connection.engine;
    const { wrapped, columns } = this.#prepared;
    const names = Array.from({ length: lib.resultColumnCount(memory) }, (_, i) => ({
      name: lib.resultColumnName(memory, i),
      type: lib.resultColumnLogicalType(memory, i),
    }));
    const described = exportColumns(this.#connection.engine, options, names, 'result');
    return wrapped ? described.map((column, i) => ({ ...column, field: columns[i]?.field ?? column.field })) : described;
  }
}
