export type Task = (signal: AbortSignal) => Promise<void>;

/** Runs tasks until the signal; the first that fails stops the others, and its error is thrown when all have ended. */
export async function runAll(signal: AbortSignal, tasks: readonly Task[]): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  let failure: { readonly error: unknown } | undefined;
  await Promise.all(
    tasks.map(async (task) => {
      try {
        await task(either);
      } catch (error) {
        failure ??= { error };
        failed.abort();
      }
    }),
  );
  if (failure !== undefined) {
    throw failure.error;
  }
}

/** The first SIGTERM or SIGINT asks for a clean end; a second one ends the process at once. */
export function untilSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) {
        process.exit(signal === 'SIGTERM' ? 143 : 130);
      }
      controller.abort();
    });
  }
  return controller.signal;
}
