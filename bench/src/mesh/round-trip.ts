import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { goProgram } from '../go-load.ts';
import type { Bench } from '../peer.ts';
import { startServer } from '../server-process.ts';
import { summarize } from '../statistics.ts';

const PINGS = 21;

/** What one byte there and back takes through the delaying proxy: its timers are never early, and often late. */
export async function measuredRoundTripMs(bench: Bench, roundTripMs: number): Promise<number> {
  const echo = createServer((socket) => socket.setNoDelay(true).pipe(socket));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const proxy = startServer({
    program: goProgram(bench, 'delay'),
    args: ['-to', `127.0.0.1:${(echo.address() as AddressInfo).port}`, '-delay', `${roundTripMs / 2}ms`],
  });
  try {
    const { port } = JSON.parse(await proxy.firstLine()) as { readonly port: number };
    return await medianPingMs(port);
  } finally {
    await proxy.stop();
    echo.close();
  }
}

async function medianPingMs(port: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const pingsMs: number[] = [];
  for (let ping = 0; ping < PINGS; ping += 1) {
    const startedMs = performance.now();
    socket.write('.');
    await once(socket, 'data');
    pingsMs.push(performance.now() - startedMs);
  }
  socket.destroy();
  return summarize(pingsMs).median;
}
