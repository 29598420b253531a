import { type StatusCode, StatusError } from '@jetbridge/proto/status-error';

/** DuckDB's own names of its error classes, as they begin every message ("Binder Error: …"). */
const CODES = new Map<string, StatusCode>(
  Object.entries({
    'Out of Range': 'invalid_argument',
    Conversion: 'invalid_argument',
    'Unknown Type': 'invalid_argument',
    Decimal: 'invalid_argument',
    'Mismatch Type': 'invalid_argument',
    'Divide by Zero': 'invalid_argument',
    'Object Size': 'invalid_argument',
    'Invalid type': 'invalid_argument',
    Expression: 'invalid_argument',
    Parser: 'invalid_argument',
    Binder: 'invalid_argument',
    Syntax: 'invalid_argument',
    Settings: 'invalid_argument',
    'Invalid Input': 'invalid_argument',
    'Parameter Not Resolved': 'invalid_argument',
    'Parameter Not Allowed': 'invalid_argument',
    'Invalid Configuration': 'invalid_argument',
    'Not implemented': 'unimplemented',
    INTERRUPT: 'cancelled',
    'Out of Memory': 'resource_exhausted',
    Permission: 'permission_denied',
    Dependency: 'failed_precondition',
    'Missing Extension': 'failed_precondition',
    'Extension Autoloading': 'failed_precondition',
    Sequence: 'failed_precondition',
    Connection: 'unavailable',
    Network: 'unavailable',
    HTTP: 'unavailable',
  } satisfies Record<string, StatusCode>),
);

/** The same error for the caller: DuckDB's message is written for the user and stays whole. */
export function duckDbError(message: string | null | undefined): StatusError {
  const text = spelledOut(message ?? 'DuckDB failed without a message');
  return new StatusError(codeOf(text), text);
}

/** `duckdb_error_type` by DuckDB's own names, as far as they have a code. */
const NAMES: Readonly<Record<number, string>> = {
  1: 'Out of Range',
  2: 'Conversion',
  4: 'Decimal',
  5: 'Mismatch Type',
  6: 'Divide by Zero',
  7: 'Object Size',
  8: 'Invalid type',
  10: 'TransactionContext',
  11: 'Not implemented',
  12: 'Expression',
  13: 'Catalog',
  14: 'Parser',
  18: 'Constraint',
  21: 'Connection',
  22: 'Syntax',
  24: 'Binder',
  28: 'IO',
  29: 'INTERRUPT',
  32: 'Invalid Input',
  33: 'Out of Memory',
  34: 'Permission',
  37: 'Dependency',
  41: 'Sequence',
};

/** The same for an error that keeps its type beside its message, as those of appenders do. */
export function typedDuckDbError(type: number, message: string): StatusError {
  const name = NAMES[type];
  return duckDbError(
    name === undefined || message.startsWith('{') ? message : `${name} Error: ${message.replace('Failed to append: ', '')}`,
  );
}

// Some of the C API hands on an exception as JSON, which everywhere else DuckDB has put into words.
function spelledOut(message: string): string {
  const parts = /^\{"exception_type":"([^"]+)","exception_message":("(?:[^"\\]|\\.)*")/.exec(message);
  return parts === null ? message : `${parts[1]} Error: ${JSON.parse(parts[2] ?? '""')}`;
}

function codeOf(message: string): StatusCode {
  const name = /^([A-Za-z ]+) Error: /.exec(message)?.[1];
  if (name === undefined) {
    return 'internal';
  }
  switch (name) {
    case 'Catalog':
      return catalogCode(message);
    case 'TransactionContext':
      return /conflict|serializ/i.test(message) ? 'aborted' : 'failed_precondition';
    case 'Constraint':
      return /duplicate key/i.test(message) ? 'already_exists' : 'failed_precondition';
    case 'IO':
      return ioCode(message);
    default:
      return CODES.get(name) ?? 'internal';
  }
}

function catalogCode(message: string): StatusCode {
  if (/already exists/i.test(message)) {
    return 'already_exists';
  }
  if (/does not exist|unrecognized configuration parameter/i.test(message)) {
    return 'not_found';
  }
  return 'invalid_argument';
}

function ioCode(message: string): StatusCode {
  if (/no such file|no files found|does not exist|not found/i.test(message)) {
    return 'not_found';
  }
  if (/permission denied/i.test(message)) {
    return 'permission_denied';
  }
  if (/no space left|disk quota/i.test(message)) {
    return 'resource_exhausted';
  }
  if (/lock/i.test(message)) {
    return 'failed_precondition';
  }
  return 'internal';
}
