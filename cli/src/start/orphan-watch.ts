// Preloaded (--import) into every process that `jetbridge start` runs. The channel to the supervisor ends when the supervisor does,
// however it died; the process then drains as for SIGTERM, and ends by force when draining takes too long.
import { isMainThread } from 'node:worker_threads';
import { ORPHAN_DRAIN_MS } from '../limits.ts';

if (isMainThread && process.channel !== undefined && process.channel !== null) {
  process.once('disconnect', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.exit(1), ORPHAN_DRAIN_MS).unref();
  });
  // Watching must not keep the process alive once it has drained.
  process.channel.unref();
}
