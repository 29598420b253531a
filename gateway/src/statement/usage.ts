import type { IncomingHttpHeaders } from 'node:http2';
import { BYTES_TRAILER, ENGINE_MICROS_TRAILER, ROWS_TRAILER } from '@jetbridge/proto/headers';

/** What a worker says a call has cost. Zero where it says nothing. */
export interface Usage {
  readonly rows: number;
  readonly bytes: number;
  readonly engineMicros: number;
}

/** Reads the usage in a worker's trailers. The relay keeps them from the client, like everything of this prefix. */
export function usageIn(trailers: IncomingHttpHeaders): Usage {
  return {
    rows: countIn(trailers[ROWS_TRAILER]),
    bytes: countIn(trailers[BYTES_TRAILER]),
    engineMicros: countIn(trailers[ENGINE_MICROS_TRAILER]),
  };
}

function countIn(value: string | string[] | undefined): number {
  return typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : 0;
}
