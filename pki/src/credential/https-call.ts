import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { StatusError } from '@jetbridge/proto/status-error';
import { isStatusCode } from '@jetbridge/proto/status-http';
import { CONTROL_REPLY_MAX_BYTES } from '../limits.ts';
import { explainTransportError } from './transport-error.ts';

/** One JSON request on a connection of its own. */
export interface HttpsCall {
  readonly url: URL;
  readonly tls: ConnectionOptions;
  readonly method: string;
  /** Sent as JSON; undefined for none. */
  readonly body?: unknown;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** Called when the handshake is done and before the first byte of the request leaves; throws to refuse the server. */
  readonly accept: (socket: TLSSocket) => void;
}

export interface HttpsReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/**
 * The answer, whatever its status. What fails below HTTP is explained (`unavailable` when another attempt may help); an aborted call is `cancelled`.
 * Redirects are not followed.
 */
export async function httpsCall(call: HttpsCall): Promise<HttpsReply> {
  const timeout = AbortSignal.timeout(call.timeoutMs);
  const signal = call.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout]);
  try {
    return await callWithin(call, signal);
  } catch (error) {
    if (call.signal?.aborted === true) {
      throw new StatusError('cancelled', 'the call was cancelled', { cause: error });
    }
    if (timeout.aborted) {
      throw new StatusError('unavailable', `${call.url.host} did not answer within ${call.timeoutMs} ms`, { cause: error });
    }
    throw explainTransportError(error, call.url);
  }
}

async function callWithin(call: HttpsCall, signal: AbortSignal): Promise<HttpsReply> {
  signal.throwIfAborted();
  const socket = connect({ ...call.tls, ...addressOf(call.url) });
  // Whoever waits for the socket hears its errors; one that comes when nobody waits must not end the process.
  socket.on('error', () => undefined);
  try {
    await once(socket, 'secureConnect', { signal });
    call.accept(socket);
    return await exchange(call, socket, signal);
  } finally {
    socket.destroy();
  }
}

function addressOf(url: URL): ConnectionOptions {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const address = { host, port: url.port === '' ? 443 : Number(url.port) };
  // RFC 6066, 3: an IP address is no server name.
  return isIP(host) === 0 ? { ...address, servername: host } : address;
}

async function exchange({ url, method, body }: HttpsCall, socket: TLSSocket, signal: AbortSignal): Promise<HttpsReply> {
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const request = httpsRequest({
    createConnection: () => socket,
    signal,
    method,
    path: `${url.pathname}${url.search}`,
    headers: {
      host: url.host,
      accept: 'application/json, application/problem+json',
      ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.length }),
    },
  });
  // After the answer an error has nobody to tell; before it `once` rejects.
  request.on('error', () => undefined);
  const answered = once(request, 'response', { signal });
  request.end(payload);
  const [response] = (await answered) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, text: await readBody(response) };
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > CONTROL_REPLY_MAX_BYTES) {
      throw new StatusError('out_of_range', `the answer of the control-api is larger than ${CONTROL_REPLY_MAX_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The parsed body of a 2xx answer, undefined when empty; any other answer is thrown as the StatusError it describes. */
export function answerOf({ status, headers, text }: HttpsReply): unknown {
  const value = parseJson(text);
  if (status < 200 || status > 299) {
    throw errorOf(status, headers, value);
  }
  if (value === undefined && text !== '') {
    throw new StatusError('failed_precondition', "the answer is not JSON, so it is not a control-api's: check the control URL");
  }
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorOf(status: number, headers: IncomingHttpHeaders, value: unknown): StatusError {
  const { code, detail } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const retryAfterS = Number(headers['retry-after'] ?? Number.NaN);
  return new StatusError(
    isStatusCode(code) ? code : codeOfHttp(status),
    typeof detail === 'string' ? detail : `the control-api answered with HTTP status ${status}`,
    Number.isFinite(retryAfterS) && retryAfterS >= 0 ? { retryAfterMs: retryAfterS * 1000 } : {},
  );
}

/** For answers that are no problem of ours: a load balancer's, say. */
function codeOfHttp(
  status: number,
): 'unauthenticated' | 'permission_denied' | 'not_found' | 'resource_exhausted' | 'unavailable' | 'failed_precondition' {
  switch (status) {
    case 401:
      return 'unauthenticated';
    case 403:
      return 'permission_denied';
    case 404:
      return 'not_found';
    case 429:
      return 'resource_exhausted';
    case 502:
    case 503:
    case 504:
      return 'unavailable';
    default:
      return 'failed_precondition';
  }
}
