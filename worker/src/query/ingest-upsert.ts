import { StatusError } from '@jetbridge/proto/status-error';
import type { ImportColumn } from '../arrow/import-type.ts';
import { quoteName } from './connections.ts';

/** Rows replace those with the same key unless they are older. */
export interface Upsert {
  readonly primaryKey: readonly string[];
  /** What tells newer from older, the weightiest first; without it whatever came last is newest. */
  readonly cursor: readonly string[];
}

const OPTIONS: ReadonlySet<string> = new Set(['primary_key', 'cursor_field']);

/** What the options ask for, if anything; `invalid_argument` where they make no sense. */
export function upsertOf(options: ReadonlyMap<string, string>, columns: readonly ImportColumn[]): Upsert | undefined {
  for (const name of options.keys()) {
    if (!OPTIONS.has(name)) {
      throw new StatusError(
        'invalid_argument',
        `the ingest option ${JSON.stringify(name)} is not known; there are primary_key and cursor_field`,
      );
    }
  }
  const primaryKey = columnNames('primary_key', options.get('primary_key'), columns);
  const cursor = columnNames('cursor_field', options.get('cursor_field'), columns);
  if (primaryKey === undefined) {
    if (cursor !== undefined) {
      throw new StatusError('invalid_argument', 'the ingest option cursor_field needs primary_key');
    }
    return undefined;
  }
  return { primaryKey, cursor: cursor ?? [] };
}

function columnNames(option: string, json: string | undefined, columns: readonly ImportColumn[]): readonly string[] | undefined {
  if (json === undefined) {
    return undefined;
  }
  const names = parsed(json);
  if (!Array.isArray(names) || names.length === 0 || !names.every((name): name is string => typeof name === 'string')) {
    throw new StatusError('invalid_argument', `the ingest option ${option} must be a JSON array of column names`);
  }
  return names.map((wanted) => {
    const column = columns.find(({ name }) => name.toLowerCase() === wanted.toLowerCase());
    if (column === undefined) {
      throw new StatusError(
        'invalid_argument',
        `the ingest option ${option} names ${JSON.stringify(wanted)}, which is no column of the rows`,
      );
    }
    return column.name;
  });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const ORDER = '__jetbridge_order';

/** Answers a row where a key has NULL. */
export function nullKeysSql(aside: string, { primaryKey }: Upsert): string {
  return `SELECT 1 AS found FROM ${aside} WHERE ${primaryKey.map((name) => `${quoteName(name)} IS NULL`).join(' OR ')} LIMIT 1`;
}

/** Merges the newest row of each key into the table. Among equals the one that came last counts. */
export function mergeSql(target: string, aside: string, columns: readonly ImportColumn[], { primaryKey, cursor }: Upsert): string {
  const names = columns.map(({ name }) => quoteName(name));
  const keys = primaryKey.map(quoteName);
  const updated = names.filter((name) => !keys.includes(name));
  const newestFirst = [...cursor.map((name) => `${quoteName(name)} DESC NULLS LAST`), `${ORDER} DESC`].join(', ');
  const matched = updated.length === 0 ? 'DO NOTHING' : `UPDATE SET ${updated.map((name) => `${name} = s.${name}`).join(', ')}`;
  return `MERGE INTO ${target} AS t USING (
    SELECT * EXCLUDE (${ORDER}) FROM (SELECT *, row_number() OVER () AS ${ORDER} FROM ${aside})
    QUALIFY row_number() OVER (PARTITION BY ${keys.join(', ')} ORDER BY ${newestFirst}) = 1
  ) AS s ON (${keys.map((key) => `t.${key} = s.${key}`).join(' AND ')})
  WHEN MATCHED AND ${notOlder(cursor.map(quoteName))} THEN ${matched}
  WHEN NOT MATCHED THEN INSERT (${names.join(', ')}) VALUES (${names.map((name) => `s.${name}`).join(', ')})`;
}

// NULL is older than everything.
function notOlder([first, ...rest]: readonly string[]): string {
  if (first === undefined) {
    return 'TRUE';
  }
  const newer = `s.${first} > t.${first} OR (t.${first} IS NULL AND s.${first} IS NOT NULL)`;
  return `(coalesce(${newer}, FALSE) OR (s.${first} IS NOT DISTINCT FROM t.${first} AND ${notOlder(rest)}))`;
}
