import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Cleanup } from './temporary.ts';

/** A listener that keeps a port of 127.0.0.1 in use until the test ends. */
export async function occupyPort(t: Cleanup): Promise<number> {
  const server = createServer();
  const port = await portOf(server);
  t.teardown(() => server.close());
  return port;
}

/** A port that was free a moment ago, for programs that cannot be told to take any. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await portOf(server);
  server.close();
  await once(server, 'close');
  return port;
}

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Sends lines to a line protocol and answers all that comes back until the peer closes. */
export async function converse(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(lines.map((line) => `${line}\r\n`).join(''));
  return text(socket);
}
