import type { IncomingHttpHeaders } from 'node:http2';
import { GATEWAY_HEADER, PRINCIPAL_HEADER, PRINCIPAL_NAME_HEADER, SESSION_HEADER, STATEMENT_HEADER } from '@jetbridge/proto/headers';
import { isId } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import type { SessionKey } from '../query/sessions.ts';

/** Who calls, as the gateway says: it removed every such header that the client sent. */
export interface Caller extends SessionKey {
  readonly principalName: string;
  readonly gatewayId: string;
  /** The gateway's name for the statement that this call starts. */
  readonly statementId: string | undefined;
  /** Headers a client sends with every call (JDBC's URL parameters). */
  readonly catalog: string | undefined;
  readonly schema: string | undefined;
}

/** Throws when the gateway did not say who calls: without a principal nothing runs. */
export function callerOf(headers: IncomingHttpHeaders): Caller {
  const principalId = headers[PRINCIPAL_HEADER];
  const sessionId = headers[SESSION_HEADER];
  if (!isId('prn', principalId) || !isId('ses', sessionId)) {
    throw new StatusError('unauthenticated', 'the gateway did not say who calls');
  }
  return {
    principalId,
    sessionId,
    principalName: decodedOr(textOf(headers[PRINCIPAL_NAME_HEADER]) ?? '', principalId),
    gatewayId: textOf(headers[GATEWAY_HEADER]) ?? '',
    statementId: textOf(headers[STATEMENT_HEADER]),
    catalog: textOf(headers.catalog) ?? textOf(headers.database),
    schema: textOf(headers.schema),
  };
}

function textOf(value: string | string[] | undefined): string | undefined {
  const text = Array.isArray(value) ? value[0] : value;
  return text === undefined || text === '' ? undefined : text;
}

function decodedOr(encoded: string, fallback: string): string {
  try {
    return decodeURIComponent(encoded) || fallback;
  } catch {
    return fallback;
  }
}
