import { StatusError } from '@jetbridge/proto/status-error';
import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { DATABASE_ACQUIRE_TIMEOUT_MS, DATABASE_STATEMENT_TIMEOUT_MS, MAX_DATABASE_CONNECTIONS } from '../limits.ts';
import { statusOfDatabaseError } from './errors.ts';
import { parseInt8, TYPE_INT8 } from './int8.ts';

export interface PostgresServerPool extends PostgresPool {
  readonly waiting: number;
}

/** A pool on a PostgreSQL server. `onLost` hears of idle connections that the server closed; the pool replaces them. */
export function openPostgresPool(databaseUrl: string, onLost: (error: Error) => void): PostgresServerPool {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: MAX_DATABASE_CONNECTIONS,
    connectionTimeoutMillis: DATABASE_ACQUIRE_TIMEOUT_MS,
    statement_timeout: DATABASE_STATEMENT_TIMEOUT_MS,
    application_name: 'jetbridge control-api',
    types: { getTypeParser: typeParser as typeof pg.types.getTypeParser },
  });
  pool.on('error', onLost);
  return {
    options: pool.options,
    get waiting() {
      return pool.waitingCount;
    },
    connect: () => connect(pool),
    end: () => pool.end(),
  };
}

async function connect(pool: pg.Pool): Promise<PostgresPoolClient> {
  try {
    return (await pool.connect()) as unknown as PostgresPoolClient;
  } catch (error) {
    // pg reports a full pool as a plain Error; neither says anything about the request.
    const status = statusOfDatabaseError(error);
    throw status.code === 'internal'
      ? new StatusError('unavailable', 'the database of the control-api is not available', { cause: error })
      : status;
  }
}

function typeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
  return oid === TYPE_INT8 && format !== 'binary' ? parseInt8 : pg.types.getTypeParser(oid, format as 'text');
}
