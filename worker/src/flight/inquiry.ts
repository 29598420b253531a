import type { Schema } from 'apache-arrow';
import type { ParameterValue } from '../engine/engine.ts';
import type { Run } from '../query/run-context.ts';
import type { Session } from '../query/sessions.ts';
import type { Statements } from '../query/statements.ts';
import { type Row, rowsOf } from './rows.ts';

/** Asks the engine on behalf of a metadata command. */
export interface Inquiry {
  rows(sql: string, values: readonly ParameterValue[]): Promise<readonly Row[]>;
  /** The Arrow schema of a query. */
  describe(sql: string): Promise<Schema>;
}

/** Asks in a session, which sees its own temporary tables and uncommitted changes. */
export function inquiryOf(statements: Statements, session: Session, run: Run): Inquiry {
  return {
    rows: async (sql, values) => rowsOf(await statements.select(session, sql, values, run)),
    describe: (sql) => statements.describe(session, sql, run),
  };
}
