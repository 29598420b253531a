import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { SQL_STATEMENT_MAX_CHARACTERS } from '../limits.ts';
import { CommandError } from '../usage.ts';
import { nextSegment, splitStatements } from './split.ts';

/** The statements and dot commands of a file or pipe as they become complete; the last one needs no semicolon. */
export async function* statementsOf(input: Readable): AsyncGenerator<string> {
  let pending = '';
  input.setEncoding('utf8');
  for await (const chunk of input) {
    pending += chunk as string;
    if (/[;\n]/.test(chunk as string)) {
      const { complete, rest } = takeComplete(pending);
      yield* complete;
      pending = rest;
    }
    requireBounded(pending);
  }
  yield* allStatements(pending);
}

/** The statements of a text that will not go on. */
export function allStatements(text: string): readonly string[] {
  const { complete, rest: unfinished } = takeComplete(`${text}\n`);
  const { rest, open } = splitStatements(unfinished);
  if (open) {
    throw new CommandError(`the input ends inside a quote or a comment: ${excerpt(rest)}`);
  }
  return rest === '' ? complete : [...complete, rest];
}

const DOT_LINE = /\s*(\..*)\n/y;

/** What can be run already. Where a statement could begin, a line with a dot at its start is a command of its own. */
function takeComplete(text: string): { readonly complete: readonly string[]; readonly rest: string } {
  const complete: string[] = [];
  let start = 0;
  for (;;) {
    DOT_LINE.lastIndex = start;
    const dot = DOT_LINE.exec(text)?.[1];
    if (dot !== undefined) {
      complete.push(dot.trim());
      start = DOT_LINE.lastIndex;
      continue;
    }
    const segment = nextSegment(text, start);
    if (segment.kind === 'unfinished') {
      // Also a comment is kept: it may be cut where the text ends so far.
      return { complete, rest: text.slice(start) };
    }
    if (segment.statement !== '') {
      complete.push(segment.statement);
    }
    start = segment.end;
  }
}

export function openScript(file: string): Readable {
  return file === '-' ? process.stdin : createReadStream(file);
}

function requireBounded(pending: string): void {
  if (pending.length > SQL_STATEMENT_MAX_CHARACTERS) {
    throw new CommandError(
      `one statement is longer than ${SQL_STATEMENT_MAX_CHARACTERS.toLocaleString('en')} characters: ${excerpt(pending)}`,
    );
  }
}

function excerpt(sql: string): string {
  return `${sql.trim().slice(0, 60).replaceAll(/\s+/g, ' ')}…`;
}
