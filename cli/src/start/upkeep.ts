import { setTimeout as delay } from 'node:timers/promises';
import { CREDENTIAL_CHECK_MS, LOG_CHECK_MS } from '../limits.ts';
import { describeFailure } from '../usage.ts';
import type { Enrolled, Enrollment } from './enrollment.ts';
import { boundLog } from './log-file.ts';
import type { Supervisor } from './supervisor.ts';

/** Tells the person at the terminal. */
export type Say = (line: string) => void;

interface CredentialUpkeep {
  readonly names: readonly Enrolled[];
  readonly enrollment: Enrollment;
  readonly supervisor: Supervisor;
  readonly say: Say;
  readonly signal: AbortSignal;
}

/** Processes do not renew their credentials by themselves yet: before one ends, its process gets another by enrolling again. */
export async function keepCredentialsFresh(upkeep: CredentialUpkeep): Promise<void> {
  const { say, signal } = upkeep;
  let complained = false;
  while (!signal.aborted) {
    await delay(CREDENTIAL_CHECK_MS, undefined, { signal }).catch(() => undefined);
    try {
      await replaceEnding(upkeep);
    } catch (error) {
      if (!complained && !signal.aborted) {
        say(`a credential that ends soon cannot be replaced: ${describeFailure(error).text}`);
      }
      complained = true;
    }
  }
}

async function replaceEnding({ names, enrollment, supervisor, say, signal }: CredentialUpkeep): Promise<void> {
  for (const name of names) {
    if (!signal.aborted && !(await enrollment.isCredentialFresh(name))) {
      await enrollment.requirePermission();
      say(`${name}: its credential ends soon, it enrolls again`);
      await supervisor.replace(name);
    }
  }
  await enrollment.end();
}

/** Until the signal. */
export async function keepLogsBounded(supervisor: Supervisor, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await delay(LOG_CHECK_MS, undefined, { signal }).catch(() => undefined);
    for (const file of supervisor.logFiles()) {
      await boundLog(file).catch(() => undefined);
    }
  }
}
