import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { isJetbridgeHeader } from '@jetbridge/proto/headers';

// RFC 9113, section 8.2.2 (connection-specific fields) and RFC 9110, section 7.6.1. `te` and `host` are written anew by the gateway.
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

// A worker is told who calls; it has no use for the secrets that prove it.
const CLIENT_SECRETS: ReadonlySet<string> = new Set(['authorization', 'auth-token-bin', 'cookie', 'proxy-authorization']);

/** What a client may say to a worker: no secrets, nothing hop-by-hop, and no header with which only the gateway speaks. */
export function requestHeadersForWorker(headers: IncomingHttpHeaders, spoken: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const mapped: OutgoingHttpHeaders = {
    ':method': 'POST',
    ':scheme': 'https',
    ':authority': 'worker',
    ':path': headers[':path'],
    te: 'trailers',
  };
  for (const name of Object.keys(headers)) {
    if (isEndToEnd(name) && !CLIENT_SECRETS.has(name)) {
      mapped[name] = headers[name];
    }
  }
  return Object.assign(mapped, spoken);
}

/** What a worker may say to a client. `date` is left out: node:http2 writes the gateway's own. */
export function responseHeadersForClient(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const mapped: OutgoingHttpHeaders = { ':status': 200 };
  copyEndToEnd(headers, mapped);
  return mapped;
}

export function trailersForClient(trailers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const mapped: OutgoingHttpHeaders = {};
  copyEndToEnd(trailers, mapped);
  return mapped;
}

function copyEndToEnd(from: IncomingHttpHeaders, to: OutgoingHttpHeaders): void {
  for (const name of Object.keys(from)) {
    if (isEndToEnd(name) && name !== 'date') {
      to[name] = from[name];
    }
  }
}

function isEndToEnd(name: string): boolean {
  return !name.startsWith(':') && !HOP_BY_HOP.has(name) && !isJetbridgeHeader(name);
}
