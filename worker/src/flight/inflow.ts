import type { ServerHttp2Stream } from 'node:http2';
import { MessageSplitter } from '@jetbridge/proto/grpc-frame';
import { StatusError } from '@jetbridge/proto/status-error';

export interface InflowBounds {
  readonly messageBytesMax: number;
  readonly totalBytesMax: number;
}

/** All messages of one call, once the caller has sent its last. */
export function readMessages(stream: ServerHttp2Stream, bounds: InflowBounds, signal: AbortSignal): Promise<readonly Buffer[]> {
  return new Promise((resolve, reject) => {
    const splitter = new MessageSplitter(bounds.messageBytesMax);
    const messages: Buffer[] = [];
    let totalBytes = 0;
    const finish = (settle: () => void): void => {
      stream.off('data', onData).off('end', onEnd);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onData = (chunk: Buffer): void => {
      totalBytes += chunk.length;
      try {
        if (totalBytes > bounds.totalBytesMax) {
          throw new StatusError('resource_exhausted', `an upload may have ${bounds.totalBytesMax} bytes; send it in several calls`);
        }
        messages.push(...splitter.push(chunk));
      } catch (thrown) {
        finish(() => reject(thrown));
      }
    };
    const onEnd = (): void =>
      finish(() => {
        if (splitter.midMessage) {
          reject(new StatusError('invalid_argument', 'the call ended inside a message'));
        } else {
          resolve(messages);
        }
      });
    const onAbort = (): void => finish(() => reject(signal.reason));
    stream.on('data', onData).on('end', onEnd);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** The one message of a call that has exactly one. */
export async function readMessage(stream: ServerHttp2Stream, messageBytesMax: number, signal: AbortSignal): Promise<Buffer> {
  const messages = await readMessages(stream, { messageBytesMax, totalBytesMax: messageBytesMax + 5 }, signal);
  const [message] = messages;
  if (message === undefined || messages.length > 1) {
    throw new StatusError('invalid_argument', `this call takes one message, not ${messages.length}`);
  }
  return message;
}
