import { StatusError } from '@jetbridge/proto/status-error';

// gRPC over HTTP/2, "Timeout": at most eight digits and a unit.
const TIMEOUT = /^(\d{1,8})([HMSmun])$/;
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
// setTimeout counts in 31 bits; 24 days are as good as none.
const TIMER_MAX_MS = 2 ** 31 - 1;

/** The milliseconds a caller gives a call; undefined when it sets no limit. */
export function timeoutMsOf(header: string | string[] | undefined): number | undefined {
  if (header === undefined) {
    return undefined;
  }
  const [, digits, unit] = TIMEOUT.exec(String(header)) ?? [];
  const unitMs = UNIT_MS[unit ?? ''];
  if (digits === undefined || unitMs === undefined) {
    throw new StatusError('invalid_argument', 'grpc-timeout must be up to eight digits and one of H M S m u n');
  }
  return Math.min(Number(digits) * unitMs, TIMER_MAX_MS);
}
