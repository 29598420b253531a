import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { frameMessage, MessageSplitter } from '@jetbridge/proto/grpc-frame';
import { StatusError } from '@jetbridge/proto/status-error';
import { decodeGrpcMessage, statusCodeOfGrpc } from '@jetbridge/proto/status-grpc';

export interface GrpcAnswer {
  readonly messages: readonly Buffer[];
  readonly trailers: IncomingHttpHeaders;
}

/** Opens one call without waiting for its answer. */
export function openCall(session: ClientHttp2Session, path: string, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
  return session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...headers });
}

/** Sends the messages and waits for the whole answer; a failed status rejects as a StatusError. */
export function callAll(
  session: ClientHttp2Session,
  path: string,
  messages: readonly Buffer[],
  headers: OutgoingHttpHeaders = {},
): Promise<GrpcAnswer> {
  const stream = openCall(session, path, headers);
  for (const message of messages) {
    stream.write(frameMessage(message));
  }
  stream.end();
  return answerOf(stream);
}

export function answerOf(stream: ClientHttp2Stream): Promise<GrpcAnswer> {
  return new Promise((resolve, reject) => {
    const splitter = new MessageSplitter(64 * 1024 * 1024);
    const received: Buffer[] = [];
    let trailers: IncomingHttpHeaders = {};
    stream.on('response', (headers) => (trailers = headers));
    stream.on('trailers', (headers) => (trailers = headers));
    stream.on('data', (chunk: Buffer) => received.push(...splitter.push(chunk)));
    stream.on('error', reject);
    stream.on('close', () => {
      const status = Number(trailers['grpc-status'] ?? Number.NaN);
      if (status === 0 && !splitter.midMessage) {
        resolve({ messages: received, trailers });
      } else {
        const code = Number.isNaN(status) ? 'unavailable' : statusCodeOfGrpc(status);
        reject(new StatusError(code, decodeGrpcMessage(String(trailers['grpc-message'] ?? ''))));
      }
    });
  });
}

export async function callUnary(
  session: ClientHttp2Session,
  path: string,
  message: Buffer,
  headers: OutgoingHttpHeaders = {},
): Promise<Buffer> {
  const { messages } = await callAll(session, path, [message], headers);
  const [answer] = messages;
  if (answer === undefined) {
    throw new Error('the call was answered without a message');
  }
  return answer;
}
