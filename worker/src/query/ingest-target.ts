import type { StatementIngest } from '@jetbridge/proto/flight-sql';
import { StatusError } from '@jetbridge/proto/status-error';
import type { Table } from 'apache-arrow';
import type { ParameterValue } from '../engine/engine.ts';
import { type Location, quoteName } from './connections.ts';

/** Into which table rows go, and what is to be done where it is there or is not. */
export type IngestRequest = Omit<StatementIngest, 'kind' | 'transactionId'>;

/** The table of an ingest as SQL, and what comes before its rows. */
export interface IngestTarget {
  readonly sql: string;
  /** What its definition begins with; undefined where it is there. */
  readonly define: string | undefined;
}

type Select = (sql: string, values: readonly ParameterValue[]) => Promise<Table>;

const FIND = `SELECT table_type FROM information_schema.tables
  WHERE lower(table_catalog) = lower($1) AND lower(table_schema) = lower($2) AND lower(table_name) = lower($3)`;

/** `already_exists` or `not_found` where the request says that there should be no table, or one. */
export async function decideTarget(request: IngestRequest, location: Location, select: Select): Promise<IngestTarget> {
  const { catalog, schema } = placeOf(request, location);
  const { table, ifExists, ifNotExist } = request;
  if (table === '' || table.includes('\0')) {
    throw new StatusError('invalid_argument', 'the ingest names no table');
  }
  const found = await select(
    FIND,
    [catalog, schema, table].map((value) => ({ kind: 'text', value })),
  );
  const type = found.numRows === 0 ? undefined : String(found.get(0)?.table_type);
  const name = `${catalog}.${schema}.${table}`;
  const sql = [catalog, schema, table].map(quoteName).join('.');
  const kind = request.temporary ? 'TEMPORARY TABLE' : 'TABLE';
  if (type === undefined) {
    if (ifNotExist !== 'create') {
      throw new StatusError('not_found', `there is no table ${name} to append to; create it, or ingest with a mode that does`);
    }
    return { sql, define: `CREATE ${kind}` };
  }
  if (ifExists === 'fail') {
    throw new StatusError(
      'already_exists',
      `there is a table ${name} already; append to it or replace it by the ingest's mode, or drop it`,
    );
  }
  if (type === 'VIEW') {
    throw new StatusError('invalid_argument', `${name} is a view: rows go into tables only`);
  }
  return { sql, define: ifExists === 'replace' ? `CREATE OR REPLACE ${kind}` : undefined };
}

function placeOf({ temporary, catalog, schema }: IngestRequest, location: Location): Location {
  if (temporary) {
    if ((catalog ?? '') !== '' || (schema ?? '') !== '') {
      throw new StatusError('invalid_argument', 'a temporary table has no catalog and no schema; leave them out');
    }
    return { catalog: 'temp', schema: 'main' };
  }
  const sameCatalog = catalog === undefined || catalog === '';
  const implied = sameCatalog ? location.schema : 'main';
  return { catalog: sameCatalog ? location.catalog : catalog, schema: schema === undefined || schema === '' ? implied : schema };
}
