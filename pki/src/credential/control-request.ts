import { CONTROL_TIMEOUT_MS } from '../limits.ts';
import { requirePeer } from '../trust/peer.ts';
import { mutualClientOptions } from '../trust/tls.ts';
import { controlRoute } from './control-url.ts';
import type { CredentialSource } from './credential.ts';
import { answerOf, httpsCall } from './https-call.ts';

export interface ControlRequest {
  /** `https://host:port` */
  readonly controlUrl: string;
  readonly credential: CredentialSource;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Begins with a slash; may have a query. */
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/**
 * One call of a gateway or worker to the control-api over mutual TLS; the parsed answer, undefined when empty. Throws the StatusError of a problem answer,
 * `unavailable` when the transport failed, `unauthenticated` or `permission_denied` when the server is not our control-api. No attempt is repeated: only the
 * caller knows which calls may run twice.
 */
export async function controlRequest({ controlUrl, credential, method, path, body, signal, timeoutMs }: ControlRequest): Promise<unknown> {
  const { trustDomain } = credential().identity;
  const reply = await httpsCall({
    url: controlRoute(controlUrl, path),
    tls: mutualClientOptions(credential),
    method,
    body,
    signal,
    timeoutMs: timeoutMs ?? CONTROL_TIMEOUT_MS,
    accept: (socket) => requirePeer(socket, { kind: 'control-api', usage: 'server', trustDomain }),
  });
  return answerOf(reply);
}
