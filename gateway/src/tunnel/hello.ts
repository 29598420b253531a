import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { frameMessage, MessageSplitter } from '@jetbridge/proto/grpc-frame';
import { StatusError } from '@jetbridge/proto/status-error';
import { decodeHelloReply, encodeHello, type Hello, type HelloReply, TUNNEL_HELLO_PATH } from '@jetbridge/proto/tunnel';

/** Introduces the gateway to the worker and asks who it is: the first call in every tunnel. */
export async function sayHello(session: ClientHttp2Session, hello: Hello, replyMaxBytes: number, signal: AbortSignal): Promise<HelloReply> {
  const stream = session.request(
    { ':method': 'POST', ':path': TUNNEL_HELLO_PATH, 'content-type': 'application/grpc', te: 'trailers' },
    { endStream: false, signal },
  );
  try {
    stream.end(frameMessage(encodeHello(hello)));
    return decodeHelloReply(await onlyMessage(stream, replyMaxBytes));
  } catch (cause) {
    throw cause instanceof StatusError ? cause : new StatusError('unavailable', 'the worker did not answer Hello', { cause });
  }
}

async function onlyMessage(stream: ClientHttp2Stream, maxBytes: number): Promise<Buffer> {
  const splitter = new MessageSplitter(maxBytes);
  const messages: Buffer[] = [];
  for await (const chunk of stream) {
    messages.push(...splitter.push(chunk as Buffer));
  }
  const [message] = messages;
  if (message === undefined || messages.length > 1) {
    throw new StatusError('unavailable', 'the worker answered Hello with something else than one message');
  }
  return message;
}
