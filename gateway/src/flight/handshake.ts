import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { OpenSessionReply } from '@jetbridge/proto/control';
import { decodeBasicAuth, decodeHandshakeRequest, encodeHandshakeResponse } from '@jetbridge/proto/flight-handshake';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { StatusError } from '@jetbridge/proto/status-error';
import type { CallerCache } from '../control/caller-cache.ts';
import type { Control } from '../control/interface.ts';
import type { FlightLimits } from '../limits.ts';
import { finishRequest } from '../tunnel/finish-request.ts';
import { type ClientConnection, credentialsIn } from './authenticate.ts';
import { readRequestHead, type WaitingBytes } from './first-message.ts';

export interface HandshakeOptions {
  readonly control: Pick<Control, 'openSession'>;
  readonly callers: CallerCache;
  readonly limits: FlightLimits;
  readonly waiting: WaitingBytes;
}

/** How a client showed who it is, which decides where it looks for the token. */
interface Welcome {
  readonly accessToken: string;
  readonly inPayload: boolean;
}

/**
 * Answers Handshake. ADBC and JDBC send Basic in a header with no or one message, and read the token from the response's first headers;
 * older clients put the password into the message and read the token from the answer's.
 */
export async function handshake(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  connection: ClientConnection,
  options: HandshakeOptions,
): Promise<void> {
  const { accessToken, inPayload } = await welcome(stream, headers, connection, options);
  if (stream.closed) {
    return;
  }
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', authorization: `Bearer ${accessToken}` }, { waitForTrailers: true });
  stream.once('wantTrailers', () => {
    if (!stream.closed) {
      stream.sendTrailers({ 'grpc-status': '0' });
      finishRequest(stream);
    }
  });
  stream.end(inPayload ? frameMessage(encodeHandshakeResponse({ protocolVersion: '0', payload: Buffer.from(accessToken) })) : undefined);
}

async function welcome(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  connection: ClientConnection,
  options: HandshakeOptions,
): Promise<Welcome> {
  const credentials = credentialsIn(headers);
  if (credentials?.bearer !== undefined) {
    await options.callers.authenticate(credentials, connection.address);
    return { accessToken: credentials.bearer, inPayload: false };
  }
  const basic = credentials?.basic ?? (await passwordInPayload(stream, options));
  const session: OpenSessionReply = await options.control.openSession({ ...basic, clientAddress: connection.address });
  options.callers.remember(session);
  return { accessToken: session.accessToken, inPayload: credentials === undefined };
}

async function passwordInPayload(
  stream: ServerHttp2Stream,
  { limits, waiting }: HandshakeOptions,
): Promise<{ readonly username: string; readonly password: string }> {
  const { message, release } = await readRequestHead(stream, {
    alone: false,
    messageBytes: limits.handshakeBytes,
    timeoutMs: limits.firstMessageTimeoutMs,
    waiting,
  });
  release();
  const payload = message === undefined ? undefined : decodeHandshakeRequest(message).payload;
  const { username, password } = payload === undefined || payload.length === 0 ? { username: '', password: '' } : decodeBasicAuth(payload);
  if (username === '') {
    throw new StatusError('unauthenticated', 'the handshake carries no credentials: send a username and password');
  }
  return { username, password };
}
