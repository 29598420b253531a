import { readFileSync } from 'node:fs';
import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';

/** Where a process says that it lives. */
export interface HealthCheck {
  readonly url: string;
  /** Whom to believe, for https. */
  readonly caFile?: string;
}

export interface LivenessPolicy {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Silences in a row that mean the process stands still. */
  readonly misses: number;
}

/**
 * Asks a process again and again whether it lives. True once it has stood still for `misses` timeouts in a row; false when the signal fires
 * first. Only silence counts: any answer is life, and a refused connection is a death that its exit will tell.
 */
export async function standsStill(check: HealthCheck, policy: LivenessPolicy, signal: AbortSignal): Promise<boolean> {
  const ca = check.caFile === undefined ? undefined : readFileSync(check.caFile, 'utf8');
  let missed = 0;
  while (!signal.aborted) {
    missed = (await isSilent(check.url, ca, policy.timeoutMs, signal)) ? missed + 1 : 0;
    if (missed >= policy.misses) {
      return !signal.aborted;
    }
    if (missed === 0) {
      await delay(policy.intervalMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return false;
}

function isSilent(url: string, ca: string | undefined, timeoutMs: number, signal: AbortSignal): Promise<boolean> {
  const patience = AbortSignal.timeout(timeoutMs);
  const options = { agent: false, signal: AbortSignal.any([signal, patience]) };
  return new Promise((resolve) => {
    const request = ca === undefined ? getHttp(url, options) : getHttps(url, { ...options, ca });
    request.on('response', (response) => {
      response.on('error', () => undefined);
      response.resume();
      resolve(false);
    });
    request.on('error', () => resolve(patience.aborted && !signal.aborted));
  });
}
