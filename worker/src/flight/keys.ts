import type { FlightSqlCommand, GetCrossReference } from '@jetbridge/proto/flight-sql';
import { Filters } from './filters.ts';
import type { Inquiry } from './inquiry.ts';
import type { Row } from './rows.ts';

type OfTable = Extract<FlightSqlCommand, { readonly kind: 'get_primary_keys' | 'get_imported_keys' | 'get_exported_keys' }>;

const PRIMARY_KEYS = `
  SELECT database_name, schema_name, table_name, unnest(constraint_column_names) AS column_name, constraint_name AS key_name,
    unnest(range(1, len(constraint_column_names) + 1))::INTEGER AS key_sequence
  FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY'`;

// DuckDB has foreign keys within one schema only, and neither updates nor deletes follow them.
const NO_ACTION = 3;
const FOREIGN_KEYS = `
  SELECT f.database_name AS pk_catalog, f.schema_name AS pk_schema, f.referenced_table AS pk_table, unnest(f.referenced_column_names) AS pk_column,
    f.database_name AS fk_catalog, f.schema_name AS fk_schema, f.table_name AS fk_table, unnest(f.constraint_column_names) AS fk_column,
    unnest(range(1, len(f.constraint_column_names) + 1))::INTEGER AS key_sequence,
    f.constraint_name AS fk_name, p.constraint_name AS pk_name, ${NO_ACTION}::UTINYINT AS update_rule, ${NO_ACTION}::UTINYINT AS delete_rule
  FROM duckdb_constraints() f LEFT JOIN duckdb_constraints() p
    ON p.constraint_type IN ('PRIMARY KEY', 'UNIQUE') AND p.database_name = f.database_name AND p.schema_name = f.schema_name
    AND p.table_name = f.referenced_table AND p.constraint_column_names = f.referenced_column_names
  WHERE f.constraint_type = 'FOREIGN KEY'`;

export function primaryKeyRows(inquiry: Inquiry, { catalog, dbSchema, table }: OfTable): Promise<readonly Row[]> {
  const filters = new Filters().equal('database_name', catalog).equal('schema_name', dbSchema).equal('table_name', table);
  return inquiry.rows(`SELECT * FROM (${PRIMARY_KEYS}) ${filters.where} ORDER BY ALL`, filters.values);
}

/** The keys that the table's foreign keys point to. */
export function importedKeyRows(inquiry: Inquiry, { catalog, dbSchema, table }: OfTable): Promise<readonly Row[]> {
  return foreignKeyRows(inquiry, new Filters().equal('fk_catalog', catalog).equal('fk_schema', dbSchema).equal('fk_table', table));
}

/** The foreign keys that point to the table. */
export function exportedKeyRows(inquiry: Inquiry, { catalog, dbSchema, table }: OfTable): Promise<readonly Row[]> {
  return foreignKeyRows(inquiry, new Filters().equal('pk_catalog', catalog).equal('pk_schema', dbSchema).equal('pk_table', table));
}

export function crossReferenceRows(inquiry: Inquiry, command: GetCrossReference): Promise<readonly Row[]> {
  const filters = new Filters()
    .equal('pk_catalog', command.pkCatalog)
    .equal('pk_schema', command.pkDbSchema)
    .equal('pk_table', command.pkTable)
    .equal('fk_catalog', command.fkCatalog)
    .equal('fk_schema', command.fkDbSchema)
    .equal('fk_table', command.fkTable);
  return foreignKeyRows(inquiry, filters);
}

function foreignKeyRows(inquiry: Inquiry, filters: Filters): Promise<readonly Row[]> {
  return inquiry.rows(
    `SELECT * FROM (${FOREIGN_KEYS}) ${filters.where} ORDER BY pk_catalog, pk_schema, pk_table, fk_catalog, fk_schema, fk_table, fk_name, key_sequence`,
    filters.values,
  );
}
