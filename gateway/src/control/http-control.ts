import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { controlRequest } from '@jetbridge/pki/credential/control-request';
import { controlRoute } from '@jetbridge/pki/credential/control-url';
import type { CredentialSource } from '@jetbridge/pki/credential/credential';
import { mutualClientOptions } from '@jetbridge/pki/trust/tls';
import type {
  AuthenticateReply,
  AuthenticateRequest,
  GatewayReport,
  OpenSessionReply,
  OpenSessionRequest,
  TunnelReport,
  TunnelsReport,
  WorkerAdmission,
} from '@jetbridge/proto/control';
import { type StatusCode, StatusError } from '@jetbridge/proto/status-error';
import type { ControlLimits } from '../limits.ts';
import type { Control } from './interface.ts';

export interface HttpControlOptions {
  readonly controlUrl: string;
  readonly credential: CredentialSource;
  readonly limits: ControlLimits;
}

const SAID_TO_CLIENTS: ReadonlySet<StatusCode> = new Set([
  'unauthenticated',
  'permission_denied',
  'invalid_argument',
  'resource_exhausted',
]);

/** The control-api over mutual TLS. It vouches for the form of its answers: both ends share the types in proto. */
export class HttpControl implements Control {
  readonly #options: HttpControlOptions;

  constructor(options: HttpControlOptions) {
    this.#options = options;
  }

  async authenticate(credentials: AuthenticateRequest, clientAddress: string): Promise<AuthenticateReply> {
    const body = credentials.basic === undefined ? credentials : { ...credentials, clientAddress };
    return (await this.#verify('/v1/gateway/authenticate', body)) as AuthenticateReply;
  }

  async openSession(body: OpenSessionRequest): Promise<OpenSessionReply> {
    return (await this.#verify('/v1/gateway/sessions', body)) as OpenSessionReply;
  }

  async admission(workerId: string, signal: AbortSignal): Promise<WorkerAdmission> {
    return (await this.#request('GET', `/v1/gateway/workers/${encodeURIComponent(workerId)}`, { signal })) as WorkerAdmission;
  }

  async register(body: GatewayReport, signal: AbortSignal): Promise<void> {
    await this.#request('PUT', '/v1/gateway/self', { body, signal });
  }

  async reportTunnels(tunnels: readonly TunnelReport[], signal: AbortSignal): Promise<void> {
    await this.#request('PUT', '/v1/gateway/tunnels', { body: { tunnels } satisfies TunnelsReport, signal });
  }

  // Signing out is the token's own right, not the gateway's: it goes to the public route, with the token as proof.
  async signOut(accessToken: string): Promise<void> {
    const { controlUrl, credential, limits } = this.#options;
    const request = httpsRequest(controlRoute(controlUrl, '/v1/sign-out'), {
      ...mutualClientOptions(credential),
      agent: false,
      method: 'POST',
      headers: { authorization: `Bearer ${accessToken}` },
      signal: AbortSignal.timeout(limits.requestTimeoutMs),
    });
    try {
      const answered = once(request, 'response');
      request.end();
      const [response] = (await answered) as [IncomingMessage];
      response.resume();
      if ((response.statusCode ?? 500) >= 400 && response.statusCode !== 401) {
        throw new StatusError('unavailable', `the control-api answered sign-out with HTTP status ${response.statusCode}`);
      }
    } catch (cause) {
      throw cause instanceof StatusError ? cause : new StatusError('unavailable', 'the control-api did not answer sign-out', { cause });
    } finally {
      request.on('error', () => undefined);
      request.destroy();
    }
  }

  // The answer to these reaches clients, who have no business with where the control-api is and what ails it.
  async #verify(path: string, body: unknown): Promise<unknown> {
    try {
      return await this.#request('POST', path, { body });
    } catch (thrown) {
      if (thrown instanceof StatusError && SAID_TO_CLIENTS.has(thrown.code)) {
        throw thrown;
      }
      throw new StatusError('unavailable', 'callers cannot be verified at the moment; try again', { cause: thrown, retryAfterMs: 1_000 });
    }
  }

  #request(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    { body, signal }: { readonly body?: unknown; readonly signal?: AbortSignal },
  ): Promise<unknown> {
    const { controlUrl, credential, limits } = this.#options;
    return controlRequest({
      controlUrl,
      credential,
      method,
      path,
      timeoutMs: limits.requestTimeoutMs,
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
}
