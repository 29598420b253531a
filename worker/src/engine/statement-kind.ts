import { DUCKDB_TYPE } from './duckdb-types.ts';
import type { DescribedColumn } from './exported-schema.ts';

/** `duckdb_statement_type` numbers that decide how a statement is treated. */
const TYPE = { select: 1, explain: 4, execute: 8, transaction: 10, copy: 11, pragma: 17, call: 19, relation: 22, logicalPlan: 24 } as const;
const INSERT = 2;
const UPDATE = 3;
const DELETE = 5;
const MERGE = 30;
const SET = 20;

/** Statements that change rows, and answer rows instead of a count when they say RETURNING (or COPY … RETURN_FILES). */
const CHANGES: ReadonlySet<number> = new Set([INSERT, UPDATE, DELETE, MERGE, TYPE.copy, TYPE.execute]);
const ALWAYS_ROWS: ReadonlySet<number> = new Set([TYPE.select, TYPE.explain, TYPE.relation, TYPE.logicalPlan]);
const CALLS: ReadonlySet<number> = new Set([TYPE.pragma, TYPE.call]);

/** BEGIN, COMMIT and ROLLBACK in all their spellings. */
export function isTransactionControl(statementType: number): boolean {
  return statementType === TYPE.transaction;
}

/** SET, RESET and PRAGMA with a value. */
export function isSetting(statementType: number): boolean {
  return statementType === SET;
}

export function isSelect(statementType: number): boolean {
  return statementType === TYPE.select;
}

/** Whether a statement answers a result set. The columns tell for those that may do either. */
export function kindOf(statementType: number, columns: readonly DescribedColumn[]): 'rows' | 'effect' {
  if (ALWAYS_ROWS.has(statementType)) {
    return 'rows';
  }
  if (CHANGES.has(statementType)) {
    return isOnly(columns, 'Count', DUCKDB_TYPE.bigint) || isSuccess(columns) ? 'effect' : 'rows';
  }
  if (CALLS.has(statementType)) {
    return isSuccess(columns) ? 'effect' : 'rows';
  }
  return 'effect';
}

/** Only these can be run twice: a query changes nothing, and neither does EXPLAIN unless it analyzes. */
export function isReadOnly(statementType: number, sql: string): boolean {
  return statementType === TYPE.select || (statementType === TYPE.explain && !/\banaly[sz]e\b/i.test(sql));
}

/** DuckDB's placeholder column of statements without a result. */
function isSuccess(columns: readonly DescribedColumn[]): boolean {
  return columns.length === 0 || isOnly(columns, 'Success', DUCKDB_TYPE.boolean);
}

function isOnly(columns: readonly DescribedColumn[], name: string, type: number): boolean {
  const [first, second] = columns;
  return second === undefined && first?.field.name === name && first.type.id === type;
}
