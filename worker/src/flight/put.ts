import { decodeFlightData, encodePutResult, type FlightDataHead } from '@jetbridge/proto/flight';
import { decodeCommand, type FlightSqlCommand } from '@jetbridge/proto/flight-sql';
import { encodeDoPutPreparedStatementResult, encodeDoPutUpdateResult } from '@jetbridge/proto/flight-sql-result';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { StatusError } from '@jetbridge/proto/status-error';
import { decodeParameterRows } from '../arrow/parameter-rows.ts';
import type { ParameterValue } from '../engine/engine.ts';
import { PUT_MESSAGE_BYTES_MAX, PUT_TOTAL_BYTES_MAX } from '../limits.ts';
import { forgetPreparation, type PreparedStatement } from '../query/prepared.ts';
import { type FlightContext, inCallersTransaction, withPrepared } from './context.ts';
import { tallied } from './outcome.ts';
import type { Call } from './server.ts';

/** DoPut: updates, and parameters of prepared statements. */
export async function doPut(context: FlightContext, call: Call): Promise<void> {
  const messages = await call.messages({ messageBytesMax: PUT_MESSAGE_BYTES_MAX, totalBytesMax: PUT_TOTAL_BYTES_MAX });
  const upload = messages.map((message) => decodeFlightData(message));
  const command = commandOf(upload[0]);
  const answer = await put(context, call, command, upload);
  await call.out.send(frameMessage(encodePutResult({ appMetadata: answer })));
}

type StatementUpdate = Extract<FlightSqlCommand, { readonly kind: 'statement_update' }>;

function commandOf(first: FlightDataHead | undefined): FlightSqlCommand {
  if (first?.descriptor === undefined) {
    throw new StatusError('invalid_argument', 'the first message of DoPut must hold a descriptor');
  }
  return decodeCommand(first.descriptor.cmd);
}

function put(context: FlightContext, call: Call, command: FlightSqlCommand, upload: readonly FlightDataHead[]): Promise<Buffer> {
  switch (command.kind) {
    case 'statement_update':
      return updateOnce(context, call, command);
    case 'prepared_statement_update':
      return updatePrepared(context, call, command.handle, upload);
    case 'prepared_statement_query':
      return bindPrepared(context, call, command.handle, upload);
    case 'statement_ingest':
      throw new StatusError('unimplemented', 'bulk ingestion is not supported yet; insert rows with a prepared INSERT');
    case 'statement_substrait_plan':
      throw new StatusError('unimplemented', 'Substrait plans are not supported; send SQL');
    default:
      throw new StatusError('invalid_argument', `${command.kind} changes nothing: ask for it by GetFlightInfo`);
  }
}

async function updateOnce(context: FlightContext, call: Call, { query, transactionId }: StatementUpdate): Promise<Buffer> {
  let changed = 0;
  await tallied(call, context.metrics, 'statement', ({ run }) =>
    inCallersTransaction(context, call, transactionId, run, async (session) => {
      const prepared = await context.statements.prepare(session, query, run);
      try {
        changed = await context.statements.update(session, prepared, [[]], run);
      } finally {
        forgetPreparation(prepared);
      }
    }),
  );
  return encodeDoPutUpdateResult(changed);
}

async function updatePrepared(context: FlightContext, call: Call, handle: Buffer, upload: readonly FlightDataHead[]): Promise<Buffer> {
  let changed = 0;
  await tallied(call, context.metrics, 'statement', ({ run }) =>
    withPrepared(context, call, handle, async (session, prepared) => {
      changed = await context.statements.update(session, prepared, rowsToRun(prepared, upload), run);
    }),
  );
  return encodeDoPutUpdateResult(changed);
}

// Without parameters the upload, which some clients leave out and some send empty, means "once".
function rowsToRun(prepared: PreparedStatement, upload: readonly FlightDataHead[]): readonly (readonly ParameterValue[])[] {
  if (prepared.parameters.length === 0) {
    return [[]];
  }
  const rows = uploadedRows(upload);
  return rows ?? [prepared.bound ?? []];
}

async function bindPrepared(context: FlightContext, call: Call, handle: Buffer, upload: readonly FlightDataHead[]): Promise<Buffer> {
  return withPrepared(context, call, handle, (_session, prepared) => {
    const rows = uploadedRows(upload) ?? [];
    if (rows.length > 1 && prepared.repeatable) {
      throw new StatusError('unimplemented', 'a query takes one row of parameters; run it once per row');
    }
    if (rows.length > 1) {
      throw new StatusError('unimplemented', 'bind one row here, or send many rows to be executed by DoPut(PreparedStatementUpdate)');
    }
    prepared.bound = rows[0];
    return Promise.resolve(encodeDoPutPreparedStatementResult(handle));
  });
}

function uploadedRows(upload: readonly FlightDataHead[]): readonly (readonly ParameterValue[])[] | undefined {
  const withArrow = upload.filter(({ dataHeader }) => dataHeader.length > 0);
  return withArrow.length === 0 ? undefined : decodeParameterRows(withArrow);
}
