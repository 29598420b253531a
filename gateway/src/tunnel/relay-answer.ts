import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { type StatusCode, StatusError } from '@jetbridge/proto/status-error';
import { statusTrailers } from '@jetbridge/proto/status-grpc';
import { finishRequest } from './finish-request.ts';
import type { RelayTunnel } from './relay-interface.ts';

const GRPC_CONTENT_TYPE = 'application/grpc';

/** Answers with a status and nothing else ("Trailers-Only" in gRPC over HTTP/2). Only before any header has been sent. */
export function answerWithStatus(stream: ServerHttp2Stream, error: StatusError): void {
  answerTrailersOnly(stream, { ':status': 200, 'content-type': GRPC_CONTENT_TYPE, ...statusTrailers(error), ...pushback(error) });
}

/** One header block and nothing else; `headers` carry the status already. Does nothing when the client has left. */
export function answerTrailersOnly(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders): void {
  if (!stream.destroyed && !stream.closed) {
    stream.respond(headers, { endStream: true });
    finishRequest(stream);
  }
}

// gRPC's retry design: the least time a client should wait before it tries again.
function pushback(error: StatusError): OutgoingHttpHeaders {
  return error.retryAfterMs === undefined ? {} : { 'grpc-retry-pushback-ms': String(Math.ceil(error.retryAfterMs)) };
}

/**
 * The reset that clients read as this status when a message has been cut and trailers would be taken for its end. REFUSED_STREAM is the one
 * code that Go, Java, C++ and Node all map to UNAVAILABLE.
 */
export function resetCodeOf(code: StatusCode): number {
  switch (code) {
    case 'unavailable':
      return constants.NGHTTP2_REFUSED_STREAM;
    case 'resource_exhausted':
      return constants.NGHTTP2_ENHANCE_YOUR_CALM;
    case 'cancelled':
    case 'deadline_exceeded':
      return constants.NGHTTP2_CANCEL;
    default:
      return constants.NGHTTP2_INTERNAL_ERROR;
  }
}

/** What a reset by the worker means; the inverse of `resetCodeOf`. Not to be asked when the tunnel itself is gone: the code misleads then. */
export function errorOfReset(code: number): StatusError {
  switch (code) {
    case constants.NGHTTP2_NO_ERROR:
      return new StatusError('unavailable', 'the worker ended the call without a status; run the statement again');
    case constants.NGHTTP2_REFUSED_STREAM:
      return new StatusError('unavailable', 'the worker did not take the call; run the statement again');
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return new StatusError('resource_exhausted', 'the worker is at its limit of calls; try again later');
    case constants.NGHTTP2_CANCEL:
      return new StatusError('cancelled', 'the worker cancelled the call');
    default:
      return new StatusError('internal', `the worker broke off the call (HTTP/2 error ${code})`);
  }
}

/**
 * Why a worker's stream closed without an answer. When a tunnel dies, Node gives its streams codes that say
 * CANCEL or INTERNAL_ERROR: only the tunnel itself knows.
 */
export function errorOfEnd({ lost }: RelayTunnel, resetCode: number): StatusError {
  return lost ? new StatusError('unavailable', 'the tunnel to the worker was lost; run the statement again') : errorOfReset(resetCode);
}

/** The gRPC status in trailers, or in headers that are all there is. */
export function statusIn(headers: IncomingHttpHeaders): number | undefined {
  const value = headers['grpc-status'];
  return typeof value === 'string' && /^[0-9]{1,2}$/.test(value) ? Number(value) : undefined;
}
