import { decodeTicket } from '@jetbridge/proto/flight';
import { decodeCommand } from '@jetbridge/proto/flight-sql';
import { StatusError } from '@jetbridge/proto/status-error';
import { recordBatchFrames } from '../arrow/record-batch-frames.ts';
import { callerOf } from './caller.ts';
import { type FlightContext, inCallersSession, inHandlesSession } from './context.ts';
import { inquiryOf } from './inquiry.ts';
import { metadataAnswer } from './metadata.ts';
import { sinkOf, tallied } from './outcome.ts';
import type { Call } from './server.ts';
import type { SealedMetadata, SealedOpened } from './tickets.ts';

/** DoGet: runs the query of a ticket and streams its rows, or reads a stored result. */
export async function doGet(context: FlightContext, call: Call): Promise<void> {
  const sealed = sealedOf(context, call, await call.message());
  switch (sealed.kind) {
    case 'opened':
      await fetchOpened(context, call, sealed);
      return;
    case 'metadata':
      await fetchMetadata(context, call, sealed);
      return;
  }
}

function sealedOf(context: FlightContext, call: Call, message: Buffer): SealedOpened | SealedMetadata {
  const command = decodeCommand(decodeTicket(message).ticket);
  if (command.kind !== 'ticket_statement_query') {
    throw new StatusError(
      'invalid_argument',
      'this is not a ticket of this server: call GetFlightInfo first and use the ticket in its endpoint',
    );
  }
  const sealed = context.tickets.open(command.handle, callerOf(call.headers).principalId);
  if (sealed.kind === 'prepared' || sealed.kind === 'transaction') {
    throw new StatusError('invalid_argument', 'this is the handle of a prepared statement or a transaction, not a ticket');
  }
  return sealed;
}

async function fetchOpened(context: FlightContext, call: Call, sealed: SealedOpened): Promise<void> {
  await tallied(call, context.metrics, 'statement', (tally) =>
    inHandlesSession(context, sealed, async (session) => {
      const opened = session.opened.get(sealed.id);
      if (opened === undefined) {
        throw new StatusError('not_found', 'the ticket has expired or gave way to newer ones; run the statement again');
      }
      const sink = sinkOf(call, tally);
      const begun = context.headStarts.take(sealed.id);
      await (begun === undefined ? context.statements.read(session, opened, tally.run, sink) : begun.adopt(tally.run, sink));
    }),
  );
}

async function fetchMetadata(context: FlightContext, call: Call, sealed: SealedMetadata): Promise<void> {
  const answer = metadataAnswer(decodeCommand(Buffer.from(sealed.command, 'base64')));
  if (answer === undefined) {
    throw new StatusError('internal', 'a metadata ticket holds another command');
  }
  await tallied(call, context.metrics, 'statement', (tally) =>
    inCallersSession(context, call, tally.run, async (session) => {
      const batches = await answer.batches(inquiryOf(context.statements, session, tally.run));
      const sink = sinkOf(call, tally);
      sink.schema(answer.schema);
      for (const frame of batches.flatMap((batch) => recordBatchFrames(answer.schema, batch))) {
        await sink.frame(frame);
      }
    }),
  );
}
