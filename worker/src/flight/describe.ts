import {
  decodeFlightDescriptor,
  encodeFlightInfo,
  encodePollInfo,
  encodeSchemaResult,
  type FlightDescriptor,
  type FlightInfo,
} from '@jetbridge/proto/flight';
import { decodeCommand, encodeCommand, type FlightSqlCommand } from '@jetbridge/proto/flight-sql';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { StatusError } from '@jetbridge/proto/status-error';
import type { Schema } from 'apache-arrow';
import { schemaMessage } from '../arrow/schema-message.ts';
import type { ParameterValue } from '../engine/engine.ts';
import { forgetPreparation, type PreparedStatement } from '../query/prepared.ts';
import type { OpenedStatement } from '../query/results.ts';
import type { Session } from '../query/sessions.ts';
import { beginCarrying, type Carrying, carryAnswer } from './carry.ts';
import { type FlightContext, inCallersSession, inCallersTransaction, withPrepared } from './context.ts';
import { flightInfoOf } from './flight-info.ts';
import { metadataAnswer } from './metadata.ts';
import { type Tally, tallied } from './outcome.ts';
import type { Call } from './server.ts';

/** A FlightInfo, and how what a client would fetch with it can be carried along. */
interface Description {
  readonly flightInfo: FlightInfo;
  readonly carry: () => Carrying | undefined;
}

/**
 * GetFlightInfo: what changes something runs here; what reads gets a ticket. It begins to run here as well when the gateway takes small
 * results along.
 */
export async function getFlightInfo(context: FlightContext, call: Call): Promise<void> {
  await answerWithInfo(context, call, encodeFlightInfo, ({ carry }) => carry());
}

/** PollFlightInfo: nothing runs longer than the call, so the first answer is complete. */
export async function pollFlightInfo(context: FlightContext, call: Call): Promise<void> {
  await answerWithInfo(
    context,
    call,
    (info) => encodePollInfo({ info, progress: 1 }),
    () => undefined,
  );
}

async function answerWithInfo(
  context: FlightContext,
  call: Call,
  encode: (info: FlightInfo) => Buffer,
  carry: (description: Description) => Carrying | undefined,
): Promise<void> {
  const descriptor = decodeFlightDescriptor(await call.message());
  const command = commandOf(descriptor);
  await tallied(call, context.metrics, 'step', async (tally) => {
    const description = await describe(context, call, descriptor, command, tally);
    const carrying = carry(description);
    await call.out.send(frameMessage(encode(description.flightInfo)));
    await carrying?.finish(tally);
  });
}

export async function getSchema(context: FlightContext, call: Call): Promise<void> {
  const command = commandOf(decodeFlightDescriptor(await call.message()));
  await tallied(call, context.metrics, 'step', async ({ run }) => {
    const schema = metadataAnswer(command)?.schema ?? (await schemaOf(context, call, command, run));
    await call.out.send(frameMessage(encodeSchemaResult({ schema: schemaMessage(schema) })));
  });
}

function commandOf(descriptor: FlightDescriptor): FlightSqlCommand {
  if (descriptor.type !== 'CMD') {
    throw new StatusError('invalid_argument', 'this is a Flight SQL server: a descriptor must hold a command, not a path');
  }
  return decodeCommand(descriptor.cmd);
}

function describe(
  context: FlightContext,
  call: Call,
  descriptor: FlightDescriptor,
  command: FlightSqlCommand,
  tally: Tally,
): Promise<Description> {
  switch (command.kind) {
    case 'statement_query':
      return inCallersTransaction(context, call, command.transactionId, tally.run, async (session) => {
        const prepared = await context.statements.prepare(session, command.query, tally.run);
        return openAndDescribe(context, call, session, { prepared, values: [], anonymous: true }, descriptor, tally);
      });
    case 'prepared_statement_query':
      return withPrepared(context, call, command.handle, (session, prepared) =>
        openAndDescribe(context, call, session, { prepared, values: prepared.bound ?? [], anonymous: false }, descriptor, tally),
      );
    default:
      return describeMetadata(context, call, descriptor, command, tally);
  }
}

/** A statement with the values it is to run with. `anonymous`: nobody else has a handle of it. */
interface ToOpen {
  readonly prepared: PreparedStatement;
  readonly values: readonly ParameterValue[];
  readonly anonymous: boolean;
}

async function openAndDescribe(
  context: FlightContext,
  call: Call,
  session: Session,
  toOpen: ToOpen,
  descriptor: FlightDescriptor,
  tally: Tally,
): Promise<Description> {
  const opened = await openOrForget(context, session, toOpen, tally);
  const handle = context.tickets.seal({ kind: 'opened', ...session.key, id: opened.id });
  return { flightInfo: infoOfOpened(opened, handle, descriptor), carry: () => beginCarrying(context, call, session, opened) };
}

function infoOfOpened(opened: OpenedStatement, handle: Buffer, descriptor: FlightDescriptor): FlightInfo {
  if (opened.kind === 'query') {
    return flightInfoOf({ schema: opened.schema, handle, descriptor });
  }
  const { result } = opened;
  // Clients show the total as the number of changed rows (ADBC's rowcount); there are no others to count.
  return flightInfoOf({
    schema: result.schema,
    handle,
    descriptor,
    totalRecords: result.changedRows ?? result.rows,
    totalBytes: result.bytes,
  });
}

async function openOrForget(
  { statements, metrics }: FlightContext,
  session: Session,
  { prepared, values, anonymous }: ToOpen,
  tally: Tally,
): Promise<OpenedStatement> {
  let query = false;
  try {
    const opened = await statements.open(session, prepared, values, anonymous, tally.run);
    query = opened.kind === 'query';
    if (!query) {
      metrics.statementEnded({ outcome: 'ok', rows: 0, bytes: 0, engineMicros: 0 });
    }
    return opened;
  } finally {
    if (anonymous && !query) {
      forgetPreparation(prepared);
    }
  }
}

async function describeMetadata(
  context: FlightContext,
  call: Call,
  descriptor: FlightDescriptor,
  command: FlightSqlCommand,
  tally: Tally,
): Promise<Description> {
  const answer = metadataAnswer(command);
  if (answer === undefined) {
    throw notDescribable(command);
  }
  return inCallersSession(context, call, tally.run, async (session) => {
    const handle = context.tickets.seal({ kind: 'metadata', ...session.key, command: encodeCommand(command).toString('base64') });
    const flightInfo = flightInfoOf({ schema: answer.schema, handle, descriptor });
    return { flightInfo, carry: () => carryAnswer(context, call, session, command, answer) };
  });
}

function notDescribable(command: FlightSqlCommand): StatusError {
  switch (command.kind) {
    case 'statement_substrait_plan':
      return new StatusError('unimplemented', 'Substrait plans are not supported; send SQL');
    case 'statement_update':
    case 'prepared_statement_update':
    case 'statement_ingest':
      return new StatusError('invalid_argument', `${command.kind} has no result to describe: send it by DoPut`);
    default:
      return new StatusError('invalid_argument', `${command.kind} cannot be described`);
  }
}

async function schemaOf(context: FlightContext, call: Call, command: FlightSqlCommand, run: Tally['run']): Promise<Schema> {
  switch (command.kind) {
    case 'statement_query':
      return inCallersTransaction(context, call, command.transactionId, run, async (session) => {
        const prepared = await context.statements.prepare(session, command.query, run);
        forgetPreparation(prepared);
        return prepared.schema;
      });
    case 'prepared_statement_query':
      return withPrepared(context, call, command.handle, (_session, prepared) => Promise.resolve(prepared.schema));
    default:
      throw notDescribable(command);
  }
}
