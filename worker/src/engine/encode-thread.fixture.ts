import { parentPort } from 'node:worker_threads';
import type { FromThread, ToThread } from './encode-messages.ts';

/** For tests: an encode thread whose fate is the number of credits: none makes it exit, the others end their jobs as they come. */
const port = parentPort;
if (port) {
  port.on('message', (message: ToThread) => {
    if (message.kind !== 'job') {
      return;
    }
    if (message.credits === 0) {
      process.exit(1);
    }
    port.postMessage({ id: message.id, outcome: { kind: 'ended' } } satisfies FromThread);
  });
  port.postMessage({ id: 0 } satisfies FromThread);
}
