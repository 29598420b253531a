import { join } from 'node:path';
import { StatusError } from '@jetbridge/proto/status-error';
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import { Migrator } from 'kysely/migration';
import { migrations } from './migrations.ts';
import { openPGlitePool } from './pglite-pool.ts';
import { openPostgresPool } from './postgres-pool.ts';
import type { Tables } from './tables.ts';

/** Where rows are read: the database or a transaction in it. */
export type Rows = Kysely<Tables>;
/** Where rows that belong together are written. */
export type Writes = Transaction<Tables>;

/** Where the rows are kept: on a server, or embedded in a directory whose owner lock the caller holds. */
export type DatabasePlace =
  | { readonly kind: 'postgres'; readonly url: string; readonly onLost: (error: Error) => void }
  | { readonly kind: 'embedded'; readonly dataDirectory: string };

export interface Database {
  readonly rows: Rows;
  /** Requests that wait for a connection now. */
  waiting(): number;
  /** Settles when the database ended and will not come back. */
  readonly failed: Promise<Error>;
  close(): Promise<void>;
}

/** Opens the database and brings its tables up to date. */
export async function openDatabase(place: DatabasePlace): Promise<Database> {
  const pool =
    place.kind === 'postgres' ? openPostgresPool(place.url, place.onLost) : await openPGlitePool(join(place.dataDirectory, 'pglite'));
  const rows = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    await migrate(rows);
  } catch (error) {
    await rows.destroy();
    throw error;
  }
  return {
    rows,
    waiting: () => pool.waiting,
    failed: 'failed' in pool ? (pool.failed as Promise<Error>) : new Promise(() => undefined),
    close: () => rows.destroy(),
  };
}

// Kysely holds an advisory lock meanwhile, so processes that start together migrate one after the other.
async function migrate(rows: Rows): Promise<void> {
  const { error } = await new Migrator({ db: rows, provider: migrations }).migrateToLatest();
  if (error !== undefined) {
    throw error instanceof StatusError
      ? error
      : new StatusError('internal', 'the database could not be brought up to date', { cause: error });
  }
}

/** Numbers of the advisory locks; Kysely's own are far larger. */
export const ADVISORY_LOCKS = { initialAdmin: 1, audit: 2 } as const;

/** Waits for a lock that lasts as long as the transaction. */
export async function advisoryLock(writes: Writes, lock: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sql.lit(lock)})`.execute(writes);
}
