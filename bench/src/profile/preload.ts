/**
 * Preloaded (--import) into every Node process of a profiled mesh, worker threads included. SIGWINCH starts sampling in all of the process's
 * threads, the next one ends it and writes one .cpuprofile per thread into BENCH_PROFILE_DIRECTORY.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';
import { profileDirectory } from './config.ts';

const SAMPLING_MICROS = 500;
const CHANNEL = 'bench-profile';

const directory = profileDirectory();
if (directory !== undefined) {
  let session: Session | undefined;
  const toggle = (): void => {
    if (session === undefined) {
      session = new Session();
      session.connect();
      session.post('Profiler.enable');
      session.post('Profiler.setSamplingInterval', { interval: SAMPLING_MICROS });
      session.post('Profiler.start');
      return;
    }
    const ending = session;
    session = undefined;
    ending.post('Profiler.stop', (error, result) => {
      if (error === null) {
        writeFileSync(join(directory, `${process.pid}-${threadId}.cpuprofile`), JSON.stringify(result.profile));
      }
      ending.disconnect();
    });
  };
  const channel = new BroadcastChannel(CHANNEL);
  channel.unref();
  if (isMainThread) {
    process.on('SIGWINCH', () => {
      channel.postMessage('toggle');
      toggle();
    });
  } else {
    channel.onmessage = toggle;
  }
}
