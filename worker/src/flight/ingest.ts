import type { FlightDataHead } from '@jetbridge/proto/flight';
import type { StatementIngest } from '@jetbridge/proto/flight-sql';
import { encodeDoPutUpdateResult } from '@jetbridge/proto/flight-sql-result';
import { openImport } from '../arrow/import-stream.ts';
import { type FlightContext, inCallersTransaction } from './context.ts';
import { tallied } from './outcome.ts';
import type { Call } from './server.ts';

/** DoPut(CommandStatementIngest): puts the rows that follow into a table as they come, and answers how many they were. */
export async function ingest(
  context: FlightContext,
  call: Call,
  command: StatementIngest,
  messages: AsyncIterator<FlightDataHead>,
): Promise<Buffer> {
  let changed = 0;
  await tallied(call, context.metrics, 'statement', async ({ run }) => {
    const rows = await openImport(messages);
    await inCallersTransaction(context, call, command.transactionId, run, async (session) => {
      changed = await context.statements.ingest(session, command, rows, run);
    });
  });
  return encodeDoPutUpdateResult(changed);
}
