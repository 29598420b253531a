import { constants, type Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { CLOSE_GRACE_MS } from '../limits.ts';

/** Ends a session and all its streams at once, and tells the peer why when it still listens. */
export function endSession(session: Http2Session, socket: Socket, reason: string): void {
  if (!session.destroyed) {
    session.goaway(constants.NGHTTP2_NO_ERROR, 0, Buffer.from(reason));
    session.destroy();
  }
  // The session waits for a write in progress before it lets its socket go; a frozen peer would keep both for ever.
  const cut = setTimeout(() => socket.destroy(), CLOSE_GRACE_MS);
  socket.once('close', () => clearTimeout(cut));
  if (socket.destroyed) {
    clearTimeout(cut);
  }
}
