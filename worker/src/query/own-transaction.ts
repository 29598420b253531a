import type { Lease } from './connections.ts';
import type { Run } from './run-context.ts';

/** Runs `work` in a transaction of its own when that is wanted and none is open: all of it counts, or nothing. */
export async function inOwnTransaction<T>(lease: Lease, wanted: boolean, run: Run, work: () => Promise<T>): Promise<T> {
  const { engine } = lease.connection;
  if (!wanted || engine.inTransaction()) {
    return work();
  }
  await engine.execute('BEGIN TRANSACTION');
  try {
    const answer = await work();
    run.signal.throwIfAborted();
    await engine.execute('COMMIT');
    return answer;
  } catch (thrown) {
    // The first failure is the one to report; a rollback can only fail when the transaction is gone already.
    await engine.execute('ROLLBACK').catch(() => undefined);
    throw thrown;
  }
}
