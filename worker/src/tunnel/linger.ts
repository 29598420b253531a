import type { Socket } from 'node:net';

/**
 * Makes the socket's end wait for the peer's, at most `lingerMs`.
 *
 * node:http2 ends its socket as soon as its own last stream has ended, and at the other end of the socket node:http2 then drops what its
 * streams have received and a slow client has not read. In a tunnel that drains, that would cut the last answers; so the side that sends
 * them lets the side that reads them close first.
 */
export function lingerBeforeEnd(socket: Socket, lingerMs: number): void {
  const end = socket.end.bind(socket) as (...args: readonly unknown[]) => Socket;
  let state: 'open' | 'lingering' | 'ended' = 'open';
  socket.end = ((...args: readonly unknown[]): Socket => {
    if (state !== 'open') {
      return socket;
    }
    state = 'lingering';
    const finish = (): void => {
      if (state === 'lingering') {
        state = 'ended';
        clearTimeout(timer);
        end(...args);
      }
    };
    const timer = setTimeout(finish, lingerMs);
    if (socket.readableEnded || socket.destroyed) {
      finish();
    } else {
      socket.once('end', finish).once('close', finish);
    }
    return socket;
  }) as Socket['end'];
}
