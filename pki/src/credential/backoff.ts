import { setTimeout as sleep } from 'node:timers/promises';
import { StatusError } from '@jetbridge/proto/status-error';

/** How attempts are repeated; time and randomness come from outside. */
export interface RetryPolicy {
  readonly attemptsMax: number;
  readonly baseMs: number;
  readonly maxMs: number;
  /** In [0, 1). */
  readonly random: () => number;
  readonly wait: (delayMs: number, signal: AbortSignal) => Promise<void>;
  /** Told before each wait, so that a long start is not silent. */
  readonly onRetry: (error: StatusError, delayMs: number) => void;
}

/** Repeats an attempt while it fails with `unavailable`, the one code that says another attempt may help; the last failure is the caller's. */
export async function retryUnavailable<T>(attempt: () => Promise<T>, policy: RetryPolicy, signal: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof StatusError) || error.code !== 'unavailable' || failures >= policy.attemptsMax) {
        throw error;
      }
      const delayMs = backoffMs(failures, policy);
      policy.onRetry(error, delayMs);
      await policy.wait(delayMs, signal);
    }
  }
}

/** Doubles with each failure up to the bound; half of it is jitter, so that a fleet that lost its control-api does not return in step. */
function backoffMs(failures: number, { baseMs, maxMs, random }: RetryPolicy): number {
  return Math.min(maxMs, baseMs * 2 ** (failures - 1)) * (0.5 + random() / 2);
}

/** Waits on the clock; `cancelled` when the signal comes first. */
export async function waitOnClock(delayMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(delayMs, undefined, { signal });
  } catch (cause) {
    throw new StatusError('cancelled', 'the wait was cancelled', { cause });
  }
}
