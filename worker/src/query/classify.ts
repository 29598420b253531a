import { StatusError } from '@jetbridge/proto/status-error';

/**
 * How a statement touches the session it runs in, judged by its leading keywords. Only what is known to be `plain` is called so: anything
 * else is `stateful` and keeps its connection, which is always correct and only costs concurrency.
 *
 * `plain` leaves nothing behind on its connection. `location` moves the session to another catalog or schema. `stateful` may leave settings,
 * temporary objects or anything else. `transaction` begins or ends one.
 */
export type StatementNature = 'plain' | 'location' | 'transaction' | 'stateful';

const TRANSACTION = new Set(['begin', 'start', 'commit', 'end', 'rollback', 'abort']);

const PLAIN = new Set([
  'select',
  'with',
  'values',
  'from',
  'table',
  'explain',
  'describe',
  'desc',
  'show',
  'summarize',
  'insert',
  'update',
  'delete',
  'merge',
  'create',
  'drop',
  'alter',
  'truncate',
  'comment',
  'analyze',
  'vacuum',
  'checkpoint',
  '(',
]);

// Statements that reach outside what the operator configured. The engine's own settings bound the rest.
const REFUSED = new Map([
  ['attach', 'ATTACH is not allowed: catalogs are configured by the operator (JETBRIDGE_SOURCE_DIR)'],
  ['detach', 'DETACH is not allowed: catalogs are configured by the operator (JETBRIDGE_SOURCE_DIR)'],
  ['copy', 'COPY is not allowed: it would write files beside the data; query the rows instead'],
  ['export', 'EXPORT is not allowed: it would write files beside the data; query the rows instead'],
  ['import', 'IMPORT is not allowed: put the files into the source directory (JETBRIDGE_SOURCE_DIR) instead'],
  ['install', 'INSTALL is not allowed: extensions are configured by the operator'],
  ['load', 'LOAD is not allowed: extensions are configured by the operator'],
]);

// Keywords that only wrap another statement.
const WRAPPERS = new Set(['explain', 'analyze', 'prepare']);

/** Refuses with `permission_denied` what no session may run. */
export function requireAllowed(sql: string): void {
  const tokens = leadingTokens(sql);
  for (const token of wrappedHeads(tokens)) {
    const refusal = REFUSED.get(token);
    if (refusal !== undefined) {
      throw new StatusError('permission_denied', refusal);
    }
  }
}

export function natureOf(sql: string): StatementNature {
  const tokens = leadingTokens(sql);
  const [head = '', second = '', third = ''] = tokens;
  if (head === 'use' || (head === 'set' && (isLocation(second) || (second === 'session' && isLocation(third))))) {
    return 'location';
  }
  if (TRANSACTION.has(head)) {
    return 'transaction';
  }
  if (!PLAIN.has(head)) {
    return 'stateful';
  }
  // A temporary object is created by TEMP, TEMPORARY or a name in the catalog `temp`.
  return head === 'create' && /\btemp(?:orary)?\b/i.test(sql) ? 'stateful' : 'plain';
}

function isLocation(setting: string): boolean {
  return setting === 'schema' || setting === 'search_path';
}

// The statement's own head and, behind a wrapper, all up to the wrapped one: EXPLAIN (ANALYZE) COPY …, PREPARE name AS COPY ….
function wrappedHeads(tokens: readonly string[]): readonly string[] {
  if (!WRAPPERS.has(tokens[0] ?? '')) {
    return tokens.slice(0, 1);
  }
  const wrapped = tokens.findIndex((token) => PLAIN.has(token) && token !== '(' && !WRAPPERS.has(token));
  return wrapped === -1 ? tokens : tokens.slice(0, wrapped);
}

// Enough for `EXPLAIN (ANALYZE, FORMAT json) COPY` and `PREPARE name (INTEGER, INTEGER) AS COPY`.
const LEADING_TOKENS = 24;
const TOKEN = /\s+|--[^\n]*(?:\n|$)|;|([\p{L}_][\p{L}\p{N}_$]*)|("(?:[^"]|"")*")|(.)/suy;

/** The first words and signs of a statement in lower case, without white space and comments. */
export function leadingTokens(sql: string): readonly string[] {
  const tokens: string[] = [];
  let at = 0;
  while (at < sql.length && tokens.length < LEADING_TOKENS) {
    if (sql.startsWith('/*', at)) {
      at = endOfBlockComment(sql, at);
      continue;
    }
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(sql);
    if (match === null) {
      break;
    }
    const token = match[1] ?? match[2] ?? match[3];
    if (token !== undefined) {
      tokens.push(token.toLowerCase());
    }
    at = TOKEN.lastIndex;
  }
  return tokens;
}

// PostgreSQL's block comments nest, and DuckDB's parser is PostgreSQL's.
function endOfBlockComment(sql: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < sql.length) {
    if (sql.startsWith('/*', at)) {
      depth += 1;
      at += 2;
    } else if (sql.startsWith('*/', at)) {
      depth -= 1;
      at += 2;
      if (depth === 0) {
        return at;
      }
    } else {
      at += 1;
    }
  }
  return sql.length;
}
