import type { IncomingHttpHeaders } from 'node:http2';
import { StatusError } from '@jetbridge/proto/status-error';
import { errorOfReset } from '../tunnel/relay-answer.ts';
import type { RelayTunnel } from '../tunnel/relay-interface.ts';

/** gRPC over HTTP/2: a flag and four bytes of length stand before each message. */
export const MESSAGE_PREFIX_BYTES = 5;

/** Where the first message ends; undefined while its length has not come. */
export function endOfMessage(bytes: Buffer): number | undefined {
  return bytes.length < MESSAGE_PREFIX_BYTES ? undefined : MESSAGE_PREFIX_BYTES + bytes.readUInt32BE(1);
}

/** The gRPC status in trailers, or in headers that are all there is. */
export function statusIn(headers: IncomingHttpHeaders): number | undefined {
  const value = headers['grpc-status'];
  return typeof value === 'string' && /^[0-9]{1,2}$/.test(value) ? Number(value) : undefined;
}

/** Why a worker's stream closed without an answer. When a tunnel dies, its streams' codes mislead: only the tunnel itself knows. */
export function errorOfEnd({ lost }: RelayTunnel, resetCode: number): StatusError {
  return lost ? new StatusError('unavailable', 'the tunnel to the worker was lost; run the statement again') : errorOfReset(resetCode);
}
