import { StatusError } from '@jetbridge/proto/status-error';
import type { Schema } from 'apache-arrow';
import { interruptedError } from './connection-calls.ts';
import { duckDbError } from './duckdb-errors.ts';
import { SQL_MAX_BYTES, SQL_PARSED_AT_ONCE_BYTES, WIDE_STATEMENT_COLUMNS } from './engine-limits.ts';
import { type DescribedColumn, describeColumns } from './exported-schema.ts';
import { callAsync } from './libduckdb.ts';
import type { NativeConnection } from './native-connection.ts';
import { NativeHandle } from './native-memory.ts';
import type { TypedName } from './schema-export.ts';
import { isSelect } from './statement-kind.ts';

/** A prepared statement and what is known of it before it runs. */
export interface PreparedStatement {
  readonly handle: NativeHandle;
  readonly statementType: number;
  readonly columns: readonly DescribedColumn[];
  readonly schema: Schema;
  /** What a result must match for `columns` to hold for it; undefined when only a run can tell. */
  readonly shape: string | undefined;
  readonly parameters: readonly DescribedColumn[];
  /** The statement was wrapped to cast VARIANT columns; results take names and metadata from `columns`. */
  readonly wrapped: boolean;
}

/** Refuses what the C API would misread: it takes text up to the first NUL. */
export function requireSql(sql: string): void {
  if (sql.includes('\0')) {
    throw new StatusError('invalid_argument', 'SQL must not contain NUL characters');
  }
  if (Buffer.byteLength(sql) > SQL_MAX_BYTES) {
    throw new StatusError('resource_exhausted', `SQL of one statement may be ${SQL_MAX_BYTES} bytes at most`);
  }
}

/** Calls `use` with each statement of a script, prepared; nothing is left behind. Runs within a turn of the connection. */
export async function forEachStatement(
  connection: NativeConnection,
  sql: string,
  use: (statement: NativeHandle, count: number) => Promise<void>,
): Promise<number> {
  const { lib } = connection.engine;
  const extracted = new NativeHandle();
  try {
    const count =
      Buffer.byteLength(sql) <= SQL_PARSED_AT_ONCE_BYTES
        ? lib.extractStatements(connection.address, sql, extracted.holder)
        : await callAsync(lib.extractStatements, connection.address, sql, extracted.holder);
    const error = lib.extractError(extracted.address);
    if (error !== null) {
      throw duckDbError(error);
    }
    for (let i = 0; i < count; i++) {
      const statement = new NativeHandle();
      const failed = await callAsync(lib.prepareExtracted, connection.address, extracted.address, i, statement.holder);
      if (failed) {
        const failure = duckDbError(lib.prepareError(statement.address));
        lib.destroyPrepare(statement.holder);
        throw failure;
      }
      await use(statement, count);
    }
    return count;
  } finally {
    lib.destroyExtracted(extracted.holder);
  }
}

/** Prepares exactly one statement, within a turn of the connection. */
export async function prepareOne(connection: NativeConnection, sql: string, wasInterrupted: () => boolean): Promise<PreparedStatement> {
  const prepared = await prepareText(connection, sql);
  if (wasInterrupted()) {
    connection.engine.lib.destroyPrepare(prepared.handle.holder);
    throw interruptedError();
  }
  const variants = prepared.columns.filter((column) => column.type.hasVariant);
  if (variants.length === 0) {
    return prepared;
  }
  connection.engine.lib.destroyPrepare(prepared.handle.holder);
  return castVariants(connection, sql, prepared);
}

async function prepareText(connection: NativeConnection, sql: string): Promise<PreparedStatement> {
  let handle: NativeHandle | undefined;
  const count = await forEachStatement(connection, sql, async (statement, statements) => {
    handle = statement;
    if (statements > 1) {
      connection.engine.lib.destroyPrepare(statement.holder);
      throw new StatusError(
        'invalid_argument',
        'Only one statement can be prepared at a time; this text holds several (a PIVOT without IN counts as several)',
      );
    }
  });
  if (!handle || count === 0) {
    throw new StatusError('invalid_argument', 'There is no statement in this text');
  }
  try {
    return await describe(connection, handle);
  } catch (error) {
    connection.engine.lib.destroyPrepare(handle.holder);
    throw error;
  }
}

async function describe(connection: NativeConnection, handle: NativeHandle): Promise<PreparedStatement> {
  const { lib } = connection.engine;
  const options = connection.refreshArrowOptions();
  const statement = handle.address;
  const columns: TypedName[] = [];
  const count = lib.columnCount(statement);
  for (let i = 0; i < count; i++) {
    const type =
      count > WIDE_STATEMENT_COLUMNS ? await callAsync(lib.columnLogicalType, statement, i) : lib.columnLogicalType(statement, i);
    columns.push({ name: lib.columnName(statement, i) ?? '', type });
  }
  const { columns: described, schema, shape } = describeColumns(connection.engine, options, columns, 'expected');
  return {
    handle,
    statementType: lib.statementType(statement),
    columns: described,
    schema,
    shape,
    parameters: describeColumns(connection.engine, options, parametersOf(connection, handle), 'expected').columns,
    wrapped: false,
  };
}

function parametersOf(connection: NativeConnection, handle: NativeHandle): TypedName[] {
  const { lib } = connection.engine;
  const names = Array.from({ length: lib.parameterCount(handle.address) }, (_, i) => lib.parameterName(handle.address, i + 1));
  // `SELECT $2` alone has one parameter that cannot be reached by its position.
  if (names.includes(null)) {
    throw new StatusError('invalid_argument', 'Parameters must be numbered $1, $2, … without gaps');
  }
  return names.map((name, i) => ({ name: name ?? '', type: lib.parameterLogicalType(handle.address, i + 1) }));
}

/** DuckDB cannot export VARIANT: the same query once more, with those columns cast to text. Names may repeat, so columns go by position. */
async function castVariants(connection: NativeConnection, sql: string, original: PreparedStatement): Promise<PreparedStatement> {
  const column = original.columns.find((candidate) => candidate.type.hasVariant)?.field.name;
  const refusal = new StatusError(
    'unimplemented',
    `Column "${column}" holds VARIANT values, which Arrow cannot carry here; cast it to VARCHAR or JSON`,
  );
  if (!isSelect(original.statementType)) {
    throw refusal;
  }
  const aliases = original.columns.map((_, i) => `c${i}`);
  const list = original.columns.map((candidate, i) => (candidate.type.hasVariant ? `CAST(c${i} AS VARCHAR)` : `c${i}`));
  try {
    const wrapped = await prepareText(
      connection,
      `SELECT ${list.join(', ')} FROM (\n${withoutTerminator(sql)}\n) AS result(${aliases.join(', ')})`,
    );
    return { ...wrapped, columns: original.columns, schema: original.schema, parameters: original.parameters, wrapped: true };
  } catch (error) {
    throw error instanceof StatusError && error.code === 'invalid_argument' ? refusal : error;
  }
}

// One lexical element of DuckDB's SQL. Texts, names and comments may hold semicolons of their own.
const ELEMENT = /[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'[^']*'|"[^"]*"|\$([A-Za-z_]*)\$[\s\S]*?\$\1\$|(--[^\n]*|\/\*[\s\S]*?\*\/|\s+|;)|[\s\S]/g;

/** A statement without the semicolon and the comments behind it, so that it can stand in parentheses. */
export function withoutTerminator(sql: string): string {
  let end = 0;
  for (const element of sql.matchAll(ELEMENT)) {
    if (element[2] === undefined) {
      end = element.index + element[0].length;
    }
  }
  return sql.slice(0, end);
}
