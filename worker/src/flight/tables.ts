import type { GetTables } from '@jetbridge/proto/flight-sql';
import { Field, Schema, Utf8 } from 'apache-arrow';
import { withFlightSqlMetadata } from '../arrow/flight-sql-metadata.ts';
import { schemaMessage } from '../arrow/schema-message.ts';
import { REMEMBERED_TYPES_MAX } from '../limits.ts';
import { Filters } from './filters.ts';
import type { Inquiry } from './inquiry.ts';
import type { Row } from './rows.ts';

// Temporary tables are the session's own and belong to what it sees.
const TABLES = `
  SELECT database_name, schema_name, table_name, 'TABLE' AS table_type FROM duckdb_tables() WHERE NOT internal
  UNION ALL
  SELECT database_name, schema_name, view_name, 'VIEW' FROM duckdb_views() WHERE NOT internal`;

const COLUMNS = `
  SELECT database_name, schema_name, table_name, column_name, data_type, is_nullable, numeric_precision, numeric_scale
  FROM duckdb_columns()`;

/** Tables and views; `BASE TABLE` is another word for `TABLE` (clients.md rule 10). */
export async function tableRows(inquiry: Inquiry, command: GetTables): Promise<readonly Row[]> {
  const types = command.tableTypes.map((type) => type.toUpperCase()).map((type) => (type === 'BASE TABLE' ? 'TABLE' : type));
  const filters = nameFilters(command).oneOf('table_type', types);
  const tables = await inquiry.rows(`SELECT * FROM (${TABLES}) ${filters.where} ORDER BY ALL`, filters.values);
  if (!command.includeSchema) {
    return tables;
  }
  const schemas = await tableSchemas(inquiry, command);
  return tables.map((table) => [...table, schemas.get(nameOf(table)) ?? EMPTY_SCHEMA]);
}

function nameFilters(command: GetTables, ...conditions: readonly string[]): Filters {
  return new Filters(...conditions)
    .equal('database_name', command.catalog)
    .like('schema_name', command.dbSchemaFilterPattern)
    .like('table_name', command.tableNameFilterPattern);
}

function nameOf([catalog, schema, table]: Row): string {
  return JSON.stringify([catalog, schema, table]);
}

const EMPTY_SCHEMA = schemaMessage(new Schema([]));

interface Column {
  readonly table: string;
  readonly row: Row;
  readonly type: string;
}

async function tableSchemas(inquiry: Inquiry, command: GetTables): Promise<ReadonlyMap<string, Buffer>> {
  const filters = nameFilters(command, 'NOT internal');
  const rows = await inquiry.rows(
    `${COLUMNS} ${filters.where} ORDER BY database_name, schema_name, table_name, column_index`,
    filters.values,
  );
  const columns: readonly Column[] = rows.map((row) => ({ table: nameOf(row), row, type: String(row[4]) }));
  const types = await arrowTypes(inquiry, columns);
  const fields = Map.groupBy(columns, ({ table }) => table);
  return new Map([...fields].map(([table, own]) => [table, schemaMessage(new Schema(own.map((column) => fieldOf(column, types))))]));
}

function fieldOf({ row, type }: Column, types: ReadonlyMap<string, Field>): Field {
  const [catalog, schema, table, name, , nullable, precision, scale] = row;
  const described = types.get(type);
  const field = new Field(String(name), described?.type ?? new Utf8(), nullable !== false, described?.metadata);
  return withFlightSqlMetadata(field, {
    catalogName: String(catalog),
    schemaName: String(schema),
    tableName: String(table),
    typeName: type,
    precision: numberOr(precision),
    scale: numberOr(scale),
    autoIncrement: false,
    searchable: true,
  });
}

function numberOr(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}

/**
 * The Arrow form of every type, asked of the engine in one statement that has a NULL of each: a thousand tables have few types, and preparing
 * a query per table is what makes this command slow elsewhere. A type that cannot be written in SQL again goes out as text.
 */
async function arrowTypes(inquiry: Inquiry, columns: readonly Column[]): Promise<ReadonlyMap<string, Field>> {
  const types = [...new Set(columns.map(({ type }) => type))].slice(0, REMEMBERED_TYPES_MAX);
  const together = await describeTypes(inquiry, types);
  if (together !== undefined) {
    return together;
  }
  const each = await Promise.all(types.map((type) => describeTypes(inquiry, [type])));
  return new Map(each.flatMap((known) => [...(known ?? [])]));
}

async function describeTypes(inquiry: Inquiry, types: readonly string[]): Promise<ReadonlyMap<string, Field> | undefined> {
  if (types.length === 0) {
    return new Map();
  }
  try {
    const { fields } = await inquiry.describe(`SELECT ${types.map((type) => `NULL::${type}`).join(', ')}`);
    return new Map(types.map((type, at) => [type, fields[at] as Field]));
  } catch {
    return undefined;
  }
}
