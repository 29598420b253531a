import { newId } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import { forgetPreparation } from './prepared.ts';
import type { Run } from './run-context.ts';
import type { Session } from './sessions.ts';
import type { Statements } from './statements.ts';

export type TransactionEnding = 'commit' | 'rollback';

/**
 * Begins the session's transaction and answers its id. It is the one that BEGIN would begin: what runs in the session meanwhile is part of it,
 * with its id or without, so temporary tables and settings are where they were. `failed_precondition` while one is open.
 */
export async function beginTransaction(statements: Statements, session: Session, run: Run): Promise<string> {
  const { connections } = session;
  if (connections.inTransaction) {
    throw new StatusError('failed_precondition', 'the session has an open transaction; commit or roll it back first');
  }
  session.transactionId = undefined;
  try {
    await runControl(statements, session, 'BEGIN TRANSACTION', run);
  } catch (thrown) {
    // A caller who left just then never learns the id of what has begun for him.
    if (connections.inTransaction) {
      await runControl(statements, session, 'ROLLBACK', { ...run, signal: session.closed });
    }
    throw thrown;
  }
  session.transactionId = newId('txn');
  return session.transactionId;
}

/** `failed_precondition` unless this is the session's transaction and it is open: a statement must not run outside of it unnoticed. */
export function requireTransaction(session: Session, id: string): void {
  if (session.transactionId !== id || !session.connections.inTransaction) {
    throw new StatusError('failed_precondition', 'the transaction has ended; begin a new one (in most clients: commit or roll back first)');
  }
}

/**
 * Ends the session's transaction. One that SQL has ended already is only forgotten. When a commit fails, nothing of the transaction is kept and
 * it has ended, too; `aborted` when that is because a statement in it had failed before.
 */
export async function endTransaction(
  statements: Statements,
  session: Session,
  id: string,
  ending: TransactionEnding,
  run: Run,
): Promise<void> {
  if (session.transactionId !== id) {
    throw new StatusError('not_found', 'the transaction is not open here: it has ended already');
  }
  try {
    if (session.connections.inTransaction) {
      await (ending === 'commit' ? commit(statements, session, run) : runControl(statements, session, 'ROLLBACK', run));
    }
  } finally {
    if (!session.connections.inTransaction) {
      session.transactionId = undefined;
    }
  }
}

/** DuckDB's COMMIT succeeds after a failed statement and keeps nothing; who commits has to hear of that. */
async function commit(statements: Statements, session: Session, run: Run): Promise<void> {
  try {
    await statements.select(session, 'SELECT 1', [], run);
  } catch (cause) {
    run.signal.throwIfAborted();
    await runControl(statements, session, 'ROLLBACK', run);
    throw new StatusError('aborted', 'the transaction was rolled back, because a statement in it had failed; run it again', { cause });
  }
  await runControl(statements, session, 'COMMIT', run);
}

async function runControl(statements: Statements, session: Session, sql: string, run: Run): Promise<void> {
  const prepared = await statements.prepare(session, sql, run);
  try {
    await statements.update(session, prepared, [[]], run);
  } finally {
    forgetPreparation(prepared);
  }
}
