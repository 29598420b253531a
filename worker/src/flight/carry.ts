import type { IncomingHttpHeaders } from 'node:http2';
import type { FlightSqlCommand } from '@jetbridge/proto/flight-sql';
import { CARRIED_COMPLETE, CARRIED_NONE, CARRIED_TRAILER, CARRY_HEADER } from '@jetbridge/proto/headers';
import { recordBatchFrames } from '../arrow/record-batch-frames.ts';
import { schemaFrame } from '../arrow/schema-message.ts';
import type { ResultFrame } from '../engine/engine.ts';
import { CARRIED_BYTES_MAX } from '../limits.ts';
import type { HeadStart, WholeResult } from '../query/head-start.ts';
import type { OpenedStatement } from '../query/results.ts';
import type { Session } from '../query/sessions.ts';
import type { FlightContext } from './context.ts';
import { inquiryOf } from './inquiry.ts';
import type { MetadataAnswer } from './metadata.ts';
import { sinkOf, type Tally } from './outcome.ts';
import type { Call } from './server.ts';

/** The result of a GetFlightInfo that may follow it on the same stream. */
export interface Carrying {
  /** Sends it if it is small and soon there; else leaves what was begun to the DoGet that follows. Returns when nothing more is to be sent. */
  finish(tally: Tally): Promise<void>;
}

/** Begins to carry what was opened, when the gateway takes that; the FlightInfo is to be sent while the engine works. */
export function beginCarrying(context: FlightContext, call: Call, session: Session, opened: OpenedStatement): Carrying | undefined {
  const bytesMax = bytesTakenBy(call.headers);
  if (bytesMax === undefined) {
    return undefined;
  }
  call.trailers[CARRIED_TRAILER] = CARRIED_NONE;
  const headStart = context.headStarts.begin(session, opened, bytesMax);
  return headStart && { finish: (tally) => finish(context, call, tally, opened, headStart, bytesMax) };
}

async function finish(
  { headStarts }: FlightContext,
  call: Call,
  tally: Tally,
  opened: OpenedStatement,
  headStart: HeadStart,
  bytesMax: number,
): Promise<void> {
  const decision = await decisionWithin(headStart, headStarts.waitMs, call.signal);
  tally.run.meter.engineMicros += headStart.takeEngineMicros();
  if (call.signal.aborted) {
    // Who has no FlightInfo cannot fetch.
    headStarts.take(opened.id)?.stop(call.signal.reason);
  } else if (decision === 'whole' && headStarts.take(opened.id) === headStart) {
    sendWhole(call, tally, headStart, bytesMax);
  }
}

function sendWhole(call: Call, tally: Tally, headStart: HeadStart, bytesMax: number): void {
  const whole = headStart.takeWhole();
  if (whole !== undefined && !sendIfFits(call, tally, whole, bytesMax)) {
    for (const frame of whole.frames) {
      frame.release();
    }
  }
}

// Waits for nobody: what is bounded fits into the stream's buffer.
function sendIfFits(call: Call, tally: Tally, { schema, frames, bytes }: WholeResult, bytesMax: number): boolean {
  if (schemaFrame(schema).length + bytes > bytesMax) {
    return false;
  }
  const sink = sinkOf(call, tally);
  sink.schema(schema);
  for (const frame of frames) {
    void sink.frame(frame);
  }
  tally.endsStatement = true;
  call.trailers[CARRIED_TRAILER] = CARRIED_COMPLETE;
  return true;
}

/** Carries the answer of a metadata command that is quickly made. One that fails or does not fit is made again for its DoGet. */
export function carryAnswer(
  context: FlightContext,
  call: Call,
  { key }: Session,
  command: FlightSqlCommand,
  answer: MetadataAnswer,
): Carrying | undefined {
  const bytesMax = bytesTakenBy(call.headers);
  if (bytesMax === undefined) {
    return undefined;
  }
  call.trailers[CARRIED_TRAILER] = CARRIED_NONE;
  if (!QUICKLY_MADE.has(command.kind)) {
    return undefined;
  }
  return {
    finish: async (tally) => {
      const frames = await context.sessions.use(key, (session) => framesOf(context, session, answer, tally)).catch(() => undefined);
      if (frames !== undefined && !call.signal.aborted) {
        const bytes = frames.reduce((sum, frame) => sum + frame.bytes.length, 0);
        sendIfFits(call, tally, { schema: answer.schema, frames, bytes }, bytesMax);
      }
    },
  };
}

// Those that tables or keys have a say in can be long, and what does not fit is made twice.
const QUICKLY_MADE: ReadonlySet<FlightSqlCommand['kind']> = new Set([
  'get_sql_info',
  'get_xdbc_type_info',
  'get_table_types',
  'get_catalogs',
  'get_db_schemas',
]);

async function framesOf(
  { statements }: FlightContext,
  session: Session,
  answer: MetadataAnswer,
  { run }: Tally,
): Promise<readonly ResultFrame[]> {
  const batches = await answer.batches(inquiryOf(statements, session, run));
  return batches.flatMap((batch) => recordBatchFrames(answer.schema, batch));
}

function decisionWithin({ decided }: HeadStart, waitMs: number, signal: AbortSignal): Promise<'whole' | 'unfit' | 'failed' | undefined> {
  return new Promise((resolve) => {
    const settle = (decision?: 'whole' | 'unfit' | 'failed'): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(decision);
    };
    const onAbort = (): void => settle();
    const timer = setTimeout(settle, waitMs);
    signal.addEventListener('abort', onAbort, { once: true });
    void decided.then(settle);
  });
}

/** How many bytes the gateway takes behind a FlightInfo; undefined when it did not ask for any. */
function bytesTakenBy(headers: IncomingHttpHeaders): number | undefined {
  const asked = headers[CARRY_HEADER];
  return typeof asked === 'string' && /^[0-9]{1,9}$/.test(asked) ? Math.min(Number(asked), CARRIED_BYTES_MAX) : undefined;
}
