import type { StatusCode, StatusError } from './status-error.ts';

const HTTP_STATUSES = {
  cancelled: 499,
  unknown: 500,
  invalid_argument: 400,
  deadline_exceeded: 504,
  not_found: 404,
  already_exists: 409,
  permission_denied: 403,
  resource_exhausted: 429,
  failed_precondition: 412,
  aborted: 409,
  out_of_range: 400,
  unimplemented: 501,
  internal: 500,
  unavailable: 503,
  data_loss: 500,
  unauthenticated: 401,
} as const satisfies Record<StatusCode, number>;

const TITLES = {
  cancelled: 'Cancelled',
  unknown: 'Unknown error',
  invalid_argument: 'Invalid argument',
  deadline_exceeded: 'Deadline exceeded',
  not_found: 'Not found',
  already_exists: 'Already exists',
  permission_denied: 'Permission denied',
  resource_exhausted: 'Resource exhausted',
  failed_precondition: 'Failed precondition',
  aborted: 'Aborted',
  out_of_range: 'Out of range',
  unimplemented: 'Not implemented',
  internal: 'Internal error',
  unavailable: 'Unavailable',
  data_loss: 'Data loss',
  unauthenticated: 'Not authenticated',
} as const satisfies Record<StatusCode, string>;

export function httpStatusOf(code: StatusCode): number {
  return HTTP_STATUSES[code];
}

/** A problem details body (RFC 9457); `code` is our extension member and tells apart what one HTTP status covers. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: StatusCode;
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

export function problemOf(error: StatusError): Problem {
  return {
    type: `urn:jetbridge:status:${error.code}`,
    title: TITLES[error.code],
    status: httpStatusOf(error.code),
    detail: error.message,
    code: error.code,
  };
}

/** True for the name of a status code, as read from a problem body that a peer sent. */
export function isStatusCode(value: unknown): value is StatusCode {
  return typeof value === 'string' && Object.hasOwn(HTTP_STATUSES, value);
}
