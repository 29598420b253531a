/** What a text has before the next semicolon that ends a statement, or up to its end where there is none. */
export type Segment =
  /** `statement` is empty between two semicolons or for comments alone; `end` is behind the semicolon. */
  | { readonly kind: 'ended'; readonly statement: string; readonly end: number }
  /** `rest` is empty for white space and comments alone; `open` is true inside a quote or comment, where only more text can help. */
  | { readonly kind: 'unfinished'; readonly rest: string; readonly open: boolean };

export interface SplitResult {
  readonly statements: readonly string[];
  readonly rest: string;
  readonly open: boolean;
}

// Everything in which a semicolon does not end a statement. Sticky, tried at every position.
const DOLLAR_TAG = /\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/y;
const PLAIN = /[^'"$;\-/eE]+/y;

/** Splits SQL at the semicolons that end statements, which are left out. */
export function splitStatements(sql: string): SplitResult {
  const statements: string[] = [];
  let start = 0;
  for (;;) {
    const segment = nextSegment(sql, start);
    if (segment.kind === 'unfinished') {
      return { statements, rest: segment.rest, open: segment.open };
    }
    if (segment.statement !== '') {
      statements.push(segment.statement);
    }
    start = segment.end;
  }
}

export function nextSegment(sql: string, start: number): Segment {
  let position = start;
  let hasContent = false;
  while (position < sql.length) {
    const token = nextToken(sql, position);
    if (token.kind === 'open') {
      return { kind: 'unfinished', rest: sql.slice(start), open: true };
    }
    if (token.kind === 'semicolon') {
      return { kind: 'ended', statement: hasContent ? sql.slice(start, position).trim() : '', end: token.end };
    }
    hasContent ||= token.kind === 'text' && sql.slice(position, token.end).trim() !== '';
    position = token.end;
  }
  return { kind: 'unfinished', rest: hasContent ? sql.slice(start).trim() : '', open: false };
}

type Token = { readonly kind: 'text' | 'comment' | 'semicolon'; readonly end: number } | { readonly kind: 'open' };

function nextToken(sql: string, at: number): Token {
  const next = sql[at + 1];
  switch (sql[at]) {
    case ';':
      return { kind: 'semicolon', end: at + 1 };
    case '-':
      return next === '-' ? lineComment(sql, at) : plain(sql, at);
    case '/':
      return next === '*' ? blockComment(sql, at) : plain(sql, at);
    case "'":
      return quoted(sql, at, "'", false);
    case '"':
      return quoted(sql, at, '"', false);
    case '$':
      return isWord(sql[at - 1]) ? plain(sql, at) : dollarQuoted(sql, at);
    case 'e':
    case 'E':
      return next === "'" && !isWord(sql[at - 1]) ? quoted(sql, at + 1, "'", true) : plain(sql, at);
    default:
      return plain(sql, at);
  }
}

function plain(sql: string, at: number): Token {
  PLAIN.lastIndex = at;
  return { kind: 'text', end: at + Math.max(1, PLAIN.exec(sql)?.[0].length ?? 0) };
}

function lineComment(sql: string, at: number): Token {
  const newline = sql.indexOf('\n', at);
  return { kind: 'comment', end: newline < 0 ? sql.length : newline + 1 };
}

/** A doubled quote stands for itself; in an E'' string a backslash takes the next character with it. */
function quoted(sql: string, at: number, quote: string, escapes: boolean): Token {
  for (let i = at + 1; i < sql.length; i += 1) {
    if (escapes && sql[i] === '\\') {
      i += 1;
    } else if (sql[i] === quote) {
      if (sql[i + 1] !== quote) {
        return { kind: 'text', end: i + 1 };
      }
      i += 1;
    }
  }
  return { kind: 'open' };
}

/** Block comments nest, as in PostgreSQL and DuckDB. */
function blockComment(sql: string, at: number): Token {
  let depth = 0;
  for (let i = at; i < sql.length; i += 1) {
    if (sql[i] === '/' && sql[i + 1] === '*') {
      depth += 1;
      i += 1;
    } else if (sql[i] === '*' && sql[i + 1] === '/') {
      depth -= 1;
      i += 1;
      if (depth === 0) {
        return { kind: 'comment', end: i + 1 };
      }
    }
  }
  return { kind: 'open' };
}

function dollarQuoted(sql: string, at: number): Token {
  DOLLAR_TAG.lastIndex = at;
  const tag = DOLLAR_TAG.exec(sql)?.[0];
  if (tag === undefined) {
    return { kind: 'text', end: at + 1 };
  }
  const close = sql.indexOf(tag, at + tag.length);
  return close < 0 ? { kind: 'open' } : { kind: 'text', end: close + tag.length };
}

function isWord(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_$]/u.test(character);
}
