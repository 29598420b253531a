/** The canonical RPC status codes other than OK: the only vocabulary in which Jetbridge reports failure. */
export type StatusCode =
  | 'cancelled'
  | 'unknown'
  | 'invalid_argument'
  | 'deadline_exceeded'
  | 'not_found'
  | 'already_exists'
  | 'permission_denied'
  | 'resource_exhausted'
  | 'failed_precondition'
  | 'aborted'
  | 'out_of_range'
  | 'unimplemented'
  | 'internal'
  | 'unavailable'
  | 'data_loss'
  | 'unauthenticated';

export interface StatusErrorOptions {
  readonly cause?: unknown;
  /** How long a caller should wait before the next attempt. */
  readonly retryAfterMs?: number;
}

/** A failure whose message is meant for the caller: it says what to do and holds no secret, no path and no stack. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: StatusCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: StatusCode, message: string, options: StatusErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A StatusError as it is; anything else becomes `internal` with a constant message, since a foreign message may leak internals. */
export function toStatusError(thrown: unknown): StatusError {
  if (thrown instanceof StatusError) {
    return thrown;
  }
  if (isAbort(thrown)) {
    return thrown.cause instanceof StatusError ? thrown.cause : new StatusError('cancelled', 'the call was cancelled', { cause: thrown });
  }
  return new StatusError('internal', 'an internal error occurred', { cause: thrown });
}

function isAbort(thrown: unknown): thrown is Error {
  return thrown instanceof Error && thrown.name === 'AbortError';
}
