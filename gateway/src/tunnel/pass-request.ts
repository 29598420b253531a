import type { ClientHttp2Stream } from 'node:http2';
import { flow } from './relay-flow.ts';
import type { TunnelCall } from './relay-interface.ts';

/** Passes on what was read of a request and then the rest of it; `counted` hears of all its bytes. */
export function passRequest(
  { client, received, receivedWritten, limits }: TunnelCall,
  worker: ClientHttp2Stream,
  counted: (bytes: number) => void,
): void {
  for (const [at, chunk] of received.entries()) {
    counted(chunk.length);
    if (at < received.length - 1) {
      worker.write(chunk);
    } else if (client.readableEnded) {
      // In one frame with the end of the stream: the worker hears of both at once.
      worker.end(chunk, receivedWritten);
    } else {
      worker.write(chunk, receivedWritten);
    }
  }
  if (client.readableEnded) {
    worker.end();
    return;
  }
  flow(client, worker, {
    coalesceBytes: limits.coalesceBytes,
    pass: (chunk) => {
      counted(chunk.length);
      return true;
    },
    ended: () => worker.end(),
  });
  if (worker.writableNeedDrain) {
    client.pause();
  }
}
