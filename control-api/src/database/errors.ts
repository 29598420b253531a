import { StatusError, toStatusError } from '@jetbridge/proto/status-error';

// PostgreSQL, appendix A: error codes
const UNIQUE_VIOLATION = '23505';
const CONNECTION_CLASS = '08';
const OPERATOR_INTERVENTION_CLASS = '57P';
const SYSTEM_CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN']);

/** True when the statement failed because a row with the same key exists. */
export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === UNIQUE_VIOLATION;
}

/** `unavailable` when the database cannot be reached or refuses work, so that callers retry instead of giving up. */
export function statusOfDatabaseError(error: unknown): StatusError {
  const code = codeOf(error);
  if (
    code?.startsWith(CONNECTION_CLASS) ||
    code?.startsWith(OPERATOR_INTERVENTION_CLASS) ||
    (code !== undefined && SYSTEM_CODES.has(code))
  ) {
    return new StatusError('unavailable', 'the database of the control-api is not available', { cause: error, retryAfterMs: 1000 });
  }
  return toStatusError(error);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
