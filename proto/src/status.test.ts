import t from 'tap';
import { type StatusCode, StatusError, toStatusError } from './status-error.ts';
import { decodeGrpcMessage, encodeGrpcMessage, grpcStatusOf, statusCodeOfGrpc, statusTrailers } from './status-grpc.ts';
import { httpStatusOf, isStatusCode, problemOf } from './status-http.ts';

const CODES: readonly StatusCode[] = [
  'cancelled',
  'unknown',
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'already_exists',
  'permission_denied',
  'resource_exhausted',
  'failed_precondition',
  'aborted',
  'out_of_range',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
  'unauthenticated',
];

t.test('codes are numbered as gRPC numbers them, from 1', async (t) => {
  for (const [index, code] of CODES.entries()) {
    t.equal(grpcStatusOf(code), index + 1);
    t.equal(statusCodeOfGrpc(index + 1), code);
  }
  t.equal(statusCodeOfGrpc(17), 'unknown');
  t.equal(statusCodeOfGrpc(-1), 'unknown');
  t.equal(statusCodeOfGrpc(Number.NaN), 'unknown');
});

t.test('every code has an HTTP error status and a title', async (t) => {
  for (const code of CODES) {
    const problem = problemOf(new StatusError(code, 'what happened'));
    t.match(problem, { type: `urn:jetbridge:status:${code}`, title: /^[A-Z]/, detail: 'what happened', code });
    t.equal(problem.status, httpStatusOf(code));
    t.ok(problem.status >= 400 && problem.status < 600);
    t.ok(isStatusCode(code));
  }
  t.equal(httpStatusOf('unauthenticated'), 401);
  t.equal(httpStatusOf('resource_exhausted'), 429);
  for (const foreign of ['ok', 'toString', '__proto__', 5, undefined]) {
    t.notOk(isStatusCode(foreign));
  }
});

t.test('a foreign error becomes internal and keeps its text to itself', async (t) => {
  const cause = new Error('password=hunter2 in /etc/secret');
  const error = toStatusError(cause);
  t.equal(error.code, 'internal');
  t.equal(error.cause, cause);
  t.notMatch(error.message, /hunter2|secret/);
  const own = new StatusError('not_found', 'no such table', { retryAfterMs: 5 });
  t.equal(toStatusError(own), own);
  t.equal(own.retryAfterMs, 5);
  t.equal(toStatusError('a string').code, 'internal');
  t.equal(toStatusError(undefined).code, 'internal');
});

t.test('an abort is cancelled, or what its signal was aborted with', async (t) => {
  t.equal(toStatusError(AbortSignal.abort().reason).code, 'cancelled');
  const reason = new StatusError('deadline_exceeded', 'too late');
  const abort = new Error('aborted', { cause: reason });
  abort.name = 'AbortError';
  t.equal(toStatusError(abort), reason);
});

t.test('messages are percent-encoded as gRPC over HTTP/2 says', async (t) => {
  t.equal(encodeGrpcMessage('100% ünsafe\n'), '100%25 %C3%BCnsafe%0A');
  t.equal(encodeGrpcMessage(' ~'), ' ~');
  for (const message of ['', 'plain', '100%', 'ünï\u0000\r\n', '日本 🚀', '%41']) {
    t.equal(decodeGrpcMessage(encodeGrpcMessage(message)), message);
  }
  t.equal(decodeGrpcMessage('50% off %zz %4'), '50% off %zz %4', 'what cannot be decoded stays as it is');
});

t.test('trailers hold status and message, and never outgrow a header block', async (t) => {
  t.same(statusTrailers(new StatusError('not_found', 'gone')), { 'grpc-status': '5', 'grpc-message': 'gone' });
  t.same(statusTrailers(new StatusError('aborted', '')), { 'grpc-status': '10' });
  for (const text of ['ü'.repeat(50_000), '🚀'.repeat(50_000), 'x'.repeat(50_000)]) {
    const message = statusTrailers(new StatusError('internal', text))['grpc-message'] ?? '';
    t.ok(message.length > 1000 && message.length < 7000);
    const decoded = decodeGrpcMessage(message);
    t.ok(decoded.endsWith('…'));
    t.ok(text.startsWith(decoded.slice(0, -1)), 'cut between characters');
  }
});
