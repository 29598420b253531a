import type { Http2Session } from 'node:http2';
import type { KeepaliveLimits } from '../limits.ts';

/**
 * Finds a silent peer. Whenever an interval passes without a byte from it, a PING goes out; when nothing at all comes back within the
 * timeout, `silent` is called, once: at most two intervals and the timeout after the last byte. Bytes of any kind count as life, since an
 * acknowledgement may queue behind data. `answered` hears how long each acknowledgement took, in a session that was silent before.
 */
export function keepalive(
  session: Http2Session,
  limits: KeepaliveLimits,
  silent: () => void,
  answered: (roundTripMs: number) => void = () => undefined,
): void {
  let bytesHeard = bytesReadOf(session);
  let timeout: NodeJS.Timeout | undefined;

  const heard = (): boolean => {
    const bytesRead = bytesReadOf(session);
    const news = bytesRead !== bytesHeard;
    bytesHeard = bytesRead;
    return news;
  };
  const expire = (): void => {
    timeout = undefined;
    // If it was this process that stood still, its timers fire before it reads what has arrived meanwhile: look again after one poll.
    setImmediate(() => {
      if (!session.destroyed && !heard()) {
        silent();
      }
    });
  };
  const interval = setInterval(() => {
    if (timeout !== undefined) {
      if (heard()) {
        clearTimeout(timeout);
        timeout = undefined;
      }
      return;
    }
    if (!heard() && !session.destroyed) {
      timeout = setTimeout(expire, limits.pingTimeoutMs);
      session.ping((error, roundTripMs) => {
        // The acknowledgement has moved bytesRead, which is what is looked at; an error means that the session is gone.
        if (error === null) {
          answered(roundTripMs);
        }
      });
    }
  }, limits.pingIntervalMs);
  session.once('close', () => {
    clearInterval(interval);
    clearTimeout(timeout);
  });
}

function bytesReadOf(session: Http2Session): number {
  return session.destroyed ? 0 : session.socket.bytesRead;
}
