import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { CONNECTION_CHECK_MS, PING_INTERVAL_MS, PING_TIMEOUT_MS } from '../limits.ts';

/**
 * Calls `gone` once when the peer of a session has gone or does not answer any more, while the session itself has not noticed:
 *
 * - A peer that froze keeps its socket open for ever; it owes the acknowledgement of a PING. Acknowledgements queue behind data, so the time
 *   given for one is long.
 * - A peer that died while a write was in progress: node:http2 stops reading then, and drops the error of the write, so it never learns of
 *   the reset. The kernel knows it.
 */
export function watchPeer(session: Http2Session, socket: Socket, gone: (reason: string) => void): void {
  let unanswered: NodeJS.Timeout | undefined;
  const pings = setInterval(() => {
    if (session.destroyed) {
      end('the session has ended, and its socket has not');
    } else if (unanswered === undefined) {
      unanswered = setTimeout(() => end('the gateway does not answer pings'), PING_TIMEOUT_MS);
      session.ping(() => {
        clearTimeout(unanswered);
        unanswered = undefined;
      });
    }
  }, PING_INTERVAL_MS);
  const checks = setInterval(() => {
    if (!isConnected(socket)) {
      end('the gateway is gone');
    }
  }, CONNECTION_CHECK_MS);
  const stop = (): void => {
    clearInterval(pings);
    clearInterval(checks);
    clearTimeout(unanswered);
  };
  const end = (reason: string): void => {
    stop();
    gone(reason);
  };
  socket.once('close', stop);
}

/** What getpeername(2) says: ENOTCONN after a reset. node:net has no public name for it, its `remoteAddress` remembers the first answer. */
function isConnected(socket: Socket): boolean {
  const { _handle: handle } = socket as Socket & { readonly _handle?: { readonly getpeername?: (name: object) => number } | null };
  return typeof handle?.getpeername !== 'function' || handle.getpeername({}) === 0;
}
