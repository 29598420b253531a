import { TIMER_MAX_MS } from '../limits.ts';

// gRPC over HTTP/2: at most 8 digits and a unit.
const TIMEOUT = /^([0-9]{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** The time a `grpc-timeout` header grants; undefined where there is none, it cannot be read, or it is too far away for a timer. */
export function timeoutMsOf(header: string | readonly string[] | undefined): number | undefined {
  const [, digits, unit] = TIMEOUT.exec(typeof header === 'string' ? header : '') ?? [];
  if (digits === undefined || unit === undefined) {
    return undefined;
  }
  const timeoutMs = Number(digits) * (UNIT_MS[unit] ?? 0);
  return timeoutMs < TIMER_MAX_MS - 60_000 ? timeoutMs : undefined;
}
