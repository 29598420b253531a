import { constants, type ServerHttp2Stream } from 'node:http2';
import { REQUEST_LINGER_MS } from '../limits.ts';

/**
 * After the answer: reads what is left of the request to nowhere, and resets the stream when the client does not end it in time
 * (RFC 9113, section 8.1: a complete answer to an unfinished request may be followed by RST_STREAM with NO_ERROR).
 */
export function finishRequest(stream: ServerHttp2Stream): void {
  if (stream.readableEnded || stream.destroyed) {
    return;
  }
  const cut = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), REQUEST_LINGER_MS);
  stream.once('close', () => clearTimeout(cut));
  stream.resume();
}
