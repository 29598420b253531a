/** A long-lived part of the process: runs until the signal fires, and rejects when it cannot go on. */
export type Task = (signal: AbortSignal) => Promise<void>;

/** Runs all tasks together. The first that fails or ends early stops the others; rejects with the first failure once all have ended. */
export async function runAll(signal: AbortSignal, tasks: readonly Task[]): Promise<void> {
  const stop = new AbortController();
  const together = AbortSignal.any([signal, stop.signal]);
  const failures: unknown[] = [];
  await Promise.all(
    tasks.map(async (task) => {
      try {
        await task(together);
      } catch (thrown) {
        failures.push(thrown);
      } finally {
        stop.abort();
      }
    }),
  );
  if (failures.length > 0) {
    throw failures[0];
  }
}

export interface ProcessSignals {
  on(event: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  off(event: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  exit(code: number): void;
}

/** Runs `task` until SIGTERM or SIGINT asks it to drain; a second one exits at once. */
export async function runUntilSignalled(task: Task, signals: ProcessSignals): Promise<void> {
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) {
      signals.exit(130);
    }
    stop.abort();
  };
  signals.on('SIGTERM', onSignal);
  signals.on('SIGINT', onSignal);
  try {
    await task(stop.signal);
  } finally {
    signals.off('SIGTERM', onSignal);
    signals.off('SIGINT', onSignal);
  }
}

/** Resolves after `delayMs`, or earlier when the signal fires; never rejects and leaves nothing behind. */
export function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** Resolves when the signal fires. */
export function stopped(signal: AbortSignal): Promise<void> {
  return signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
