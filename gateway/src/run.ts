/** Something long-lived: runs until the signal aborts, and rejects when it cannot go on. */
export type Task = (signal: AbortSignal) => Promise<void>;

/** Runs tasks side by side until the signal aborts. The first failure stops the others, and is thrown once they have stopped. */
export async function runTogether(tasks: readonly Task[], signal: AbortSignal): Promise<void> {
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  const results = await Promise.allSettled(
    tasks.map(async (task) => {
      try {
        await task(stop);
      } catch (error) {
        failure.abort();
        throw error;
      }
    }),
  );
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    throw failed.reason;
  }
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
    } else {
      signal.addEventListener('abort', () => resolve(), { once: true });
    }
  });
}
