import { createHmac, type KeyObject } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http2';
import type { AuthenticateRequest, Principal } from '@jetbridge/proto/control';
import { idOfBytes } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import type { CallerCache } from '../control/caller-cache.ts';

/** A client's HTTP/2 connection, as far as authentication needs it. */
export interface ClientConnection {
  /** Without the port, which changes from attempt to attempt. */
  readonly address: string;
  /** Random: gives each principal on this connection a session of its own without keeping a list of them. */
  readonly sessionKey: KeyObject;
}

/** A verified caller. */
export interface Caller {
  readonly principal: Principal;
  readonly sessionId: string;
  /** Set when the caller shows the access token of this very session, which ends with it. */
  readonly sessionToken: string | undefined;
}

export async function authenticate(headers: IncomingHttpHeaders, connection: ClientConnection, callers: CallerCache): Promise<Caller> {
  const credentials = credentialsIn(headers);
  if (credentials === undefined) {
    throw new StatusError(
      'unauthenticated',
      'the call carries no credentials: connect with a username and password, or send "authorization: Bearer <access token>"',
    );
  }
  const { principal, sessionId } = await callers.authenticate(credentials, connection.address);
  return {
    principal,
    sessionId: sessionId ?? sessionOfConnection(connection, principal),
    sessionToken: sessionId === undefined ? undefined : credentials.bearer,
  };
}

/** Clients that never shake hands (a password or a long-lived token on every call) have one session per connection and principal. */
function sessionOfConnection(connection: ClientConnection, { id: principalId }: Principal): string {
  const latest = latestSessions.get(connection);
  if (latest?.principalId === principalId) {
    return latest.sessionId;
  }
  const sessionId = idOfBytes('ses', createHmac('sha256', connection.sessionKey).update(principalId).digest().subarray(0, 16));
  latestSessions.set(connection, { principalId, sessionId });
  return sessionId;
}

// One for each connection: nearly always the same principal calls again, and the hash is a twentieth of what a small call costs.
const latestSessions = new WeakMap<ClientConnection, { readonly principalId: string; readonly sessionId: string }>();

/** What the headers offer as proof; undefined when nothing. Throws `unauthenticated` for what cannot be read. */
export function credentialsIn(headers: IncomingHttpHeaders): AuthenticateRequest | undefined {
  const { authorization } = headers;
  if (authorization === undefined) {
    return legacyTokenIn(headers);
  }
  const [, scheme, rest = ''] = /^([A-Za-z]+) +(\S+) *$/.exec(authorization) ?? [];
  switch (scheme?.toLowerCase()) {
    case 'bearer':
      return { bearer: rest };
    case 'basic':
      return { basic: basicOf(rest) };
    default:
      throw new StatusError(
        'unauthenticated',
        'the authorization header must be "Basic <base64 of user:password>" or "Bearer <access token>"',
      );
  }
}

// RFC 7617: user-id and password are parted by the first colon.
function basicOf(encoded: string): { readonly username: string; readonly password: string } {
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1) {
    throw new StatusError('unauthenticated', 'the Basic credentials must be base64 of "user:password"');
  }
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

// Flight clients that put their password into the handshake's payload send the token they got for it in this header.
function legacyTokenIn(headers: IncomingHttpHeaders): AuthenticateRequest | undefined {
  const token = headers['auth-token-bin'];
  return typeof token === 'string' && token !== '' ? { bearer: Buffer.from(token, 'base64').toString('utf8') } : undefined;
}
