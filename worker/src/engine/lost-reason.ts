import { StatusError } from '@jetbridge/proto/status-error';
import { interruptedError } from './connection-calls.ts';
import { duckDbError } from './duckdb-errors.ts';
import { LOST_REASON_RUNS_MAX } from './engine-limits.ts';
import { type Address, callAsync, type LibDuckDb } from './libduckdb.ts';
import { nativeHandle } from './native-memory.ts';
import { resultMemory, wordsOf } from './result-memory.ts';

/** For failures whose reason cannot be looked for. */
export function reasonUnknown(): StatusError {
  return new StatusError('aborted', 'The statement failed, and DuckDB did not keep the reason; run it again');
}

/**
 * Finds out why a query failed in mid-stream when DuckDB 1.5 says only that it was interrupted. There a thread that fails stops the others by the
 * very flag of an interruption, and a reader that sees the flag first loses the reason: in about one failure of a hundred. A query changes nothing,
 * so it runs once more, without its rows going anywhere, until it tells. Runs within a turn of the connection.
 */
export async function findLostReason(lib: LibDuckDb, statement: Address, wasInterrupted: () => boolean): Promise<StatusError> {
  for (let run = 0; run < LOST_REASON_RUNS_MAX; run++) {
    const failure = await failureOf(lib, statement, wasInterrupted);
    if (wasInterrupted()) {
      return interruptedError();
    }
    if (failure === undefined) {
      break;
    }
    if (failure.code !== 'cancelled') {
      return failure;
    }
  }
  return reasonUnknown();
}

async function failureOf(lib: LibDuckDb, statement: Address, wasInterrupted: () => boolean): Promise<StatusError | undefined> {
  const memory = resultMemory();
  try {
    const failed = await callAsync(lib.executeStreaming, statement, memory);
    while (!failed && !wasInterrupted()) {
      const chunk = nativeHandle(await callAsync(lib.fetchChunk, wordsOf(memory)));
      const rows = chunk.address === 0 ? 0 : lib.chunkSize(chunk.address);
      if (chunk.address !== 0) {
        lib.destroyChunk(chunk.holder);
      }
      if (rows === 0) {
        break;
      }
    }
    const error = lib.resultError(memory);
    return error === null ? undefined : duckDbError(error);
  } finally {
    await callAsync(lib.destroyResult, memory);
  }
}
