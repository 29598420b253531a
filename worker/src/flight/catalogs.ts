import type { FlightSqlCommand } from '@jetbridge/proto/flight-sql';
import { Filters } from './filters.ts';
import type { Inquiry } from './inquiry.ts';
import type { Row } from './rows.ts';

type GetDbSchemas = Extract<FlightSqlCommand, { readonly kind: 'get_db_schemas' }>;

/** The engine's own catalogs are not shown: nobody's tables are in them. */
const VISIBLE_CATALOG = `database_name NOT IN ('system', 'temp')`;

export function catalogRows(inquiry: Inquiry): Promise<readonly Row[]> {
  return inquiry.rows(`SELECT database_name FROM duckdb_databases() WHERE NOT internal AND ${VISIBLE_CATALOG} ORDER BY 1`, []);
}

export function schemaRows(inquiry: Inquiry, command: GetDbSchemas): Promise<readonly Row[]> {
  const filters = new Filters(VISIBLE_CATALOG, `schema_name NOT IN ('information_schema', 'pg_catalog')`)
    .equal('database_name', command.catalog)
    .like('schema_name', command.dbSchemaFilterPattern);
  return inquiry.rows(`SELECT database_name, schema_name FROM duckdb_schemas() ${filters.where} ORDER BY 1, 2`, filters.values);
}

export function tableTypeRows(): Promise<readonly Row[]> {
  return Promise.resolve([['TABLE'], ['VIEW']]);
}
