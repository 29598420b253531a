import { StatusError } from '@jetbridge/proto/status-error';
import { DEFAULT_PAGE_ROWS } from '../limits.ts';
import type { PageQuery } from './schemas.ts';

/** One page of a list: rows read one beyond the limit, and where the next page begins. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly nextCursor?: string;
}

/** Reads one row more than asked for, to know whether there are more. `cursorOf` names the place of a row in the order. */
export async function readPage<Row>(
  query: PageQuery,
  read: (limit: number) => Promise<Row[]>,
  cursorOf: (row: Row) => string,
): Promise<Page<Row>> {
  const limit = query.limit ?? DEFAULT_PAGE_ROWS;
  const rows = await read(limit + 1);
  const last = rows[limit - 1];
  return rows.length > limit && last !== undefined ? { rows: rows.slice(0, limit), nextCursor: cursorOf(last) } : { rows };
}

/** `nextCursor` for the answer, left out on the last page. */
export function nextCursorOf(page: Page<unknown>): { nextCursor?: string } {
  return page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor };
}

/** Place of a row in an order by time, newest first. */
export interface TimePlace {
  readonly at: Date;
  readonly id: string;
}

export function formatTimeCursor(at: Date, id: string): string {
  return `${at.toISOString()}/${id}`;
}

export function parseTimeCursor(cursor: string | undefined): TimePlace | undefined {
  if (cursor === undefined) {
    return undefined;
  }
  const [time = '', id] = cursor.split('/');
  const at = new Date(time);
  if (id === undefined || Number.isNaN(at.getTime())) {
    throw badCursor();
  }
  return { at, id };
}

export function parseSequenceCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) {
    return undefined;
  }
  if (!/^[0-9]{1,15}$/.test(cursor)) {
    throw badCursor();
  }
  return Number(cursor);
}

function badCursor(): StatusError {
  return new StatusError('invalid_argument', 'querystring.cursor is not one that this list gave');
}
