import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { type StatusCode, StatusError } from '@jetbridge/proto/status-error';
import { isStatusCode } from '@jetbridge/proto/status-http';
import { API_MAX_BODY_BYTES, API_TIMEOUT_MS } from '../limits.ts';
import { CommandError } from '../usage.ts';

export interface ApiAddress {
  readonly apiUrl: string;
  /** Root certificates in PEM; undefined trusts what the runtime trusts. */
  readonly caPem: string | undefined;
}

export type Method = 'GET' | 'POST' | 'DELETE';

/** Calls the control-api as a person or service does. Failures are StatusErrors with the API's own explanation. */
export class ApiClient {
  readonly #address: ApiAddress;
  readonly #accessToken: string | undefined;

  constructor(address: ApiAddress, accessToken?: string) {
    this.#address = address;
    this.#accessToken = accessToken;
  }

  /** The same address with a session's access token; rejects with `unauthenticated` when the password is wrong. */
  async signIn(username: string, password: string, signal: AbortSignal): Promise<ApiClient> {
    const reply = await this.call('POST', '/v1/sign-in', signal, { username, password });
    return new ApiClient(this.#address, textField(reply, 'accessToken'));
  }

  /** Ends the session; never rejects, since the token ends by itself. */
  async signOut(signal: AbortSignal): Promise<void> {
    await this.call('POST', '/v1/sign-out', signal).catch(() => undefined);
  }

  async call(method: Method, path: string, signal: AbortSignal, body?: unknown): Promise<unknown> {
    const answer = await this.#send(method, path, signal, body === undefined ? undefined : JSON.stringify(body));
    const status = answer.statusCode ?? 0;
    const content = await readBounded(answer);
    const parsed = content === '' ? undefined : parseJson(content);
    if (status >= 200 && status < 300) {
      return parsed;
    }
    throw problem(status, parsed);
  }

  #send(method: Method, path: string, signal: AbortSignal, body: string | undefined): Promise<IncomingMessage> {
    const { apiUrl, caPem } = this.#address;
    const headers: Record<string, string> = { accept: 'application/json' };
    if (this.#accessToken !== undefined) {
      headers.authorization = `Bearer ${this.#accessToken}`;
    }
    if (body !== undefined) {
      headers['content-type'] = 'application/json';
      headers['content-length'] = String(Buffer.byteLength(body));
    }
    return new Promise((resolve, reject) => {
      const call = request(new URL(path, apiUrl), {
        method,
        headers,
        agent: false,
        signal: AbortSignal.any([signal, AbortSignal.timeout(API_TIMEOUT_MS)]),
        ...(caPem === undefined ? {} : { ca: caPem }),
      });
      call.once('response', resolve);
      call.once('error', (error) => reject(unreachable(apiUrl, error, signal)));
      call.end(body);
    });
  }
}

export function parseApiUrl(url: string): string {
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:') {
    throw new CommandError(`'${url}' is not the address of a control-api; it looks like https://HOST:8443`);
  }
  return url;
}

function unreachable(apiUrl: string, error: NodeJS.ErrnoException, signal: AbortSignal): Error {
  if (signal.aborted) {
    return new StatusError('cancelled', 'cancelled', { cause: error });
  }
  const untrusted = /SELF_SIGNED|UNABLE_TO/.test(error.code ?? '');
  const reason =
    error.name === 'TimeoutError' || error.name === 'AbortError'
      ? `no answer within ${API_TIMEOUT_MS / 1000} s`
      : error.message || (error.code ?? 'unknown failure');
  return new StatusError(
    'unavailable',
    `cannot reach the control-api at ${apiUrl}: ${reason}${untrusted ? '; give the CA certificate with --ca FILE' : ''}`,
    { cause: error },
  );
}

async function readBounded(answer: IncomingMessage): Promise<string> {
  let size = 0;
  answer.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > API_MAX_BODY_BYTES) {
      answer.destroy(new StatusError('resource_exhausted', 'the answer of the control-api is too large'));
    }
  });
  return text(answer);
}

function problem(status: number, body: unknown): StatusError {
  const fields = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const { detail, title, code } = fields;
  const message = [detail, title].find((text) => typeof text === 'string') ?? `the control-api answered with status ${status}`;
  return new StatusError(typeof code === 'string' && isStatusCode(code) ? code : codeOfStatus(status), message);
}

function codeOfStatus(status: number): StatusCode {
  const known: Readonly<Record<number, StatusCode>> = {
    400: 'invalid_argument',
    401: 'unauthenticated',
    403: 'permission_denied',
    404: 'not_found',
    409: 'already_exists',
    429: 'resource_exhausted',
    503: 'unavailable',
  };
  return known[status] ?? 'unknown';
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw new StatusError('internal', 'the control-api answered with something that is not JSON', { cause: error });
  }
}

/** A text field that the API promised. */
export function textField(body: unknown, name: string): string {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
  if (typeof value !== 'string') {
    throw new StatusError('internal', `the control-api's answer has no ${name}`);
  }
  return value;
}
