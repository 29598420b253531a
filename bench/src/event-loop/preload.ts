/**
 * Loaded into processes of a mesh that is measured. SIGUSR2 starts watching the event loop; the next one writes the longest stall since to a
 * file named after the process, and stops. Until then it costs nothing.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const RESOLUTION_MS = 1;
const WARM_UP_MS = 10;
const NANOSECONDS_PER_MILLISECOND = 1e6;

const directory = process.env['BENCH_STALL_DIRECTORY'];
let watching: ReturnType<typeof monitorEventLoopDelay> | undefined;

if (isMainThread && directory !== undefined) {
  process.on('SIGUSR2', () => {
    const file = join(directory, `stall-${process.pid}.json`);
    if (watching === undefined) {
      watching = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      watching.enable();
      // The first tick is only where counting starts.
      setTimeout(() => write(file, { watching: true }), WARM_UP_MS);
      return;
    }
    watching.disable();
    // The histogram holds the time from one tick to the next: a loop that nothing held up shows the resolution itself.
    const { max, mean } = watching;
    const p99 = watching.percentile(99);
    watching = undefined;
    write(file, { watching: false, maxMs: stallMs(max), p99Ms: stallMs(p99), meanMs: stallMs(mean) });
  });
}

function stallMs(nanoseconds: number): number {
  return Math.max(0, nanoseconds / NANOSECONDS_PER_MILLISECOND - RESOLUTION_MS);
}

function write(file: string, report: object): void {
  writeFileSync(`${file}.new`, JSON.stringify(report));
  renameSync(`${file}.new`, file);
}
