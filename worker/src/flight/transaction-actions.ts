import type { FlightSqlAction } from '@jetbridge/proto/flight-sql-action';
import { encodeBeginTransactionResult } from '@jetbridge/proto/flight-sql-result';
import { toStatusError } from '@jetbridge/proto/status-error';
import type { Run } from '../query/run-context.ts';
import { beginTransaction, endTransaction } from '../query/transaction.ts';
import { type FlightContext, inCallersSession, transactionOf } from './context.ts';
import type { Call } from './server.ts';

type EndTransaction = Extract<FlightSqlAction, { readonly kind: 'end_transaction' }>;

export function begin(context: FlightContext, call: Call, run: Run): Promise<Buffer> {
  return inCallersSession(context, call, run, async (session) => {
    const id = await beginTransaction(context.statements, session, run);
    return encodeBeginTransactionResult(context.tickets.seal({ kind: 'transaction', ...session.key, id }));
  });
}

/** Rolling back what is gone already succeeds: whoever lost a worker does that next, and could not go on otherwise. */
export function end(context: FlightContext, call: Call, { transactionId, action }: EndTransaction, run: Run): Promise<undefined> {
  return inCallersSession(context, call, run, async (session, caller) => {
    try {
      await endTransaction(context.statements, session, transactionOf(context, session, caller, transactionId), action, run);
    } catch (thrown) {
      if (action === 'commit' || toStatusError(thrown).code !== 'not_found') {
        throw thrown;
      }
    }
    return undefined;
  });
}
