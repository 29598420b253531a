import { decodeFlightData, encodePutResult, type FlightDataHead } from '@jetbridge/proto/flight';
import { decodeCommand, type FlightSqlCommand, type StatementIngest } from '@jetbridge/proto/flight-sql';
import { encodeDoPutPreparedStatementResult, encodeDoPutUpdateResult } from '@jetbridge/proto/flight-sql-result';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { StatusError } from '@jetbridge/proto/status-error';
import { decodeParameterRows } from '../arrow/parameter-rows.ts';
import type { ParameterValue } from '../engine/engine.ts';
import { MESSAGE_COST_BYTES, PUT_MESSAGE_BYTES_MAX, PUT_TOTAL_BYTES_MAX } from '../limits.ts';
import { forgetPreparation, type PreparedStatement } from '../query/prepared.ts';
import { type FlightContext, inCallersTransaction, withPrepared } from './context.ts';
import { ingest } from './ingest.ts';
import { tallied } from './outcome.ts';
import type { Call } from './server.ts';

/** DoPut: updates, parameters of prepared statements, and ingests. */
export async function doPut(context: FlightContext, call: Call): Promise<void> {
  const messages = call.upload(PUT_MESSAGE_BYTES_MAX);
  const { value } = await messages.next();
  const first = value === undefined ? undefined : decodeFlightData(value);
  const command = commandOf(first);
  const answer =
    command.kind === 'statement_ingest'
      ? await ingest(context, call, command, withFirst(first, messages))
      : await put(context, call, command, await collect(withFirst(first, messages)));
  await call.out.send(frameMessage(encodePutResult({ appMetadata: answer })));
}

type StatementUpdate = Extract<FlightSqlCommand, { readonly kind: 'statement_update' }>;

async function* withFirst(first: FlightDataHead | undefined, rest: AsyncIterator<Buffer>): AsyncGenerator<FlightDataHead, undefined> {
  if (first !== undefined) {
    yield first;
  }
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
    yield decodeFlightData(next.value);
  }
}

async function collect(messages: AsyncIterable<FlightDataHead>): Promise<readonly FlightDataHead[]> {
  const collected: FlightDataHead[] = [];
  let totalBytes = 0;
  for await (const message of messages) {
    totalBytes += message.dataHeader.length + message.dataBody.length + message.appMetadata.length + MESSAGE_COST_BYTES;
    if (totalBytes > PUT_TOTAL_BYTES_MAX) {
      throw new StatusError('resource_exhausted', `an upload may have ${PUT_TOTAL_BYTES_MAX} bytes; send it in several calls`);
    }
    collected.push(message);
  }
  return collected;
}

function commandOf(first: FlightDataHead | undefined): FlightSqlCommand {
  if (first?.descriptor === undefined) {
    throw new StatusError('invalid_argument', 'the first message of DoPut must hold a descriptor');
  }
  return decodeCommand(first.descriptor.cmd);
}

function put(
  context: FlightContext,
  call: Call,
  command: Exclude<FlightSqlCommand, StatementIngest>,
  upload: readonly FlightDataHead[],
): Promise<Buffer> {
  switch (command.kind) {
    case 'statement_update':
      return updateOnce(context, call, command);
    case 'prepared_statement_update':
      return updatePrepared(context, call, command.handle, upload);
    case 'prepared_statement_query':
      return bindPrepared(context, call, command.handle, upload);
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
