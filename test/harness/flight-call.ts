import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import type { Mesh } from './mesh.ts';
import type { Cleanup } from './temporary.ts';

export interface CallAnswer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An HTTP/2 connection to the gateway without any Flight library: headers and trailers are seen exactly as they come. */
export function connectRaw(t: Cleanup, mesh: Mesh): ClientHttp2Session {
  const session = connect(mesh.ready.flightUri.replace('grpc+tls:', 'https:'), { ca: readFileSync(mesh.ready.caFile) });
  session.on('error', () => undefined);
  t.teardown(() => session.destroy());
  return session;
}

/** One gRPC call with one message each way. */
export function callFlight(
  session: ClientHttp2Session,
  method: string,
  message: Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<CallAnswer> {
  return new Promise((resolve, reject) => {
    const path = `/arrow.flight.protocol.FlightService/${method}`;
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...headers });
    const chunks: Buffer[] = [];
    let answered: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on('response', (found) => {
      answered = found;
    });
    stream.on('trailers', (found: IncomingHttpHeaders) => {
      trailers = found;
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('end', () => resolve({ headers: answered, trailers, body: Buffer.concat(chunks) }));
    stream.end(message);
  });
}

/** The administrator as an `authorization` header. */
export function basicOf(mesh: Mesh): string {
  return `Basic ${Buffer.from(`${mesh.ready.username}:${mesh.ready.password}`).toString('base64')}`;
}
