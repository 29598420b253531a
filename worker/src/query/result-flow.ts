import type { Schema } from 'apache-arrow';
import type { EngineResult, ResultFrame } from '../engine/engine.ts';
import type { ResultSink } from './run-context.ts';

/** Works on a result and frees it, however the work ends. */
export async function closing<T>(result: EngineResult, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await result.close();
  }
}

/** Sends a stored result, which stays for others to read. */
export async function sendStored(schema: Schema, frames: readonly ResultFrame[], signal: AbortSignal, sink: ResultSink): Promise<void> {
  sink.schema(schema);
  for (const { bytes, rows } of frames) {
    signal.throwIfAborted();
    await sink.frame({ bytes, rows, release: () => undefined });
  }
}

/** Reads a result only to count what it changed, or answered. */
export async function changedRowsOf(result: EngineResult): Promise<number> {
  try {
    let rows = 0;
    for (let frame = await result.next(); frame !== undefined; frame = await result.next()) {
      rows += frame.rows;
      frame.release();
    }
    return result.changedRows ?? rows;
  } finally {
    await result.close();
  }
}
