import { BYTES_TRAILER, ENGINE_MICROS_TRAILER, ROWS_TRAILER } from '@jetbridge/proto/headers';
import { toStatusError } from '@jetbridge/proto/status-error';
import { schemaFrame } from '../arrow/schema-message.ts';
import type { ResultSink, Run } from '../query/run-context.ts';
import type { Metrics } from '../telemetry.ts';
import type { Call } from './server.ts';

/** What one call sent, for its trailers. */
export interface Tally {
  readonly run: Run;
  rows: number;
  bytes: number;
  /** Set where a call turns out to be a statement's last. */
  endsStatement: boolean;
}

/**
 * Does a call's work on statements and reports it in trailers and counters, however it ends. `ending` tells a call that ends a statement from
 * one that only goes towards it: every statement is counted once.
 */
export async function tallied(
  call: Call,
  metrics: Metrics,
  ending: 'statement' | 'step',
  work: (tally: Tally) => Promise<void>,
): Promise<void> {
  const tally: Tally = {
    run: { signal: call.signal, meter: { engineMicros: 0 } },
    rows: 0,
    bytes: 0,
    endsStatement: ending === 'statement',
  };
  let outcome: Parameters<Metrics['statementEnded']>[0]['outcome'] = 'ok';
  try {
    await work(tally);
  } catch (thrown) {
    outcome = toStatusError(thrown).code;
    throw thrown;
  } finally {
    const { engineMicros } = tally.run.meter;
    call.trailers[ROWS_TRAILER] = String(tally.rows);
    call.trailers[BYTES_TRAILER] = String(tally.bytes);
    call.trailers[ENGINE_MICROS_TRAILER] = String(engineMicros);
    if (tally.endsStatement || outcome !== 'ok') {
      metrics.statementEnded({ outcome, rows: tally.rows, bytes: tally.bytes, engineMicros });
    } else {
      metrics.engineWorked(engineMicros);
    }
  }
}

/** Sends a result as the answer of DoGet: the schema once, then its batches as they come. */
export function sinkOf(call: Call, tally: Tally): ResultSink {
  const send = (bytes: Buffer, release?: () => void): Promise<void> | undefined => {
    tally.bytes += bytes.length;
    return call.out.send(bytes, release);
  };
  return {
    schema: (schema) => void send(schemaFrame(schema)),
    frame: (frame) => {
      tally.rows += frame.rows;
      return send(frame.bytes, () => frame.release());
    },
  };
}
