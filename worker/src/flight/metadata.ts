import type { FlightSqlCommand } from '@jetbridge/proto/flight-sql';
import type { RecordBatch, Schema } from 'apache-arrow';
import { catalogRows, schemaRows, tableTypeRows } from './catalogs.ts';
import type { Inquiry } from './inquiry.ts';
import { crossReferenceRows, exportedKeyRows, importedKeyRows, primaryKeyRows } from './keys.ts';
import {
  CATALOGS_SCHEMA,
  DB_SCHEMAS_SCHEMA,
  FOREIGN_KEYS_SCHEMA,
  PRIMARY_KEYS_SCHEMA,
  SQL_INFO_SCHEMA,
  TABLE_TYPES_SCHEMA,
  TABLES_SCHEMA,
  TABLES_WITH_SCHEMA_SCHEMA,
  XDBC_TYPE_INFO_SCHEMA,
} from './metadata-schemas.ts';
import { batchesOf, type Row } from './rows.ts';
import { sqlInfoBatch } from './sql-info.ts';
import { tableRows } from './tables.ts';

/** The answer of a metadata command: its schema is known before it is computed. */
export interface MetadataAnswer {
  readonly schema: Schema;
  readonly batches: (inquiry: Inquiry) => Promise<readonly RecordBatch[]>;
}

/** Undefined for commands that are no metadata commands. */
export function metadataAnswer(command: FlightSqlCommand): MetadataAnswer | undefined {
  switch (command.kind) {
    case 'get_catalogs':
      return computed(CATALOGS_SCHEMA, catalogRows);
    case 'get_db_schemas':
      return computed(DB_SCHEMAS_SCHEMA, (inquiry) => schemaRows(inquiry, command));
    case 'get_tables':
      return computed(command.includeSchema ? TABLES_WITH_SCHEMA_SCHEMA : TABLES_SCHEMA, (inquiry) => tableRows(inquiry, command));
    case 'get_table_types':
      return computed(TABLE_TYPES_SCHEMA, tableTypeRows);
    case 'get_sql_info':
      return { schema: SQL_INFO_SCHEMA, batches: () => Promise.resolve([sqlInfoBatch(command.info)]) };
    case 'get_xdbc_type_info':
      return computed(XDBC_TYPE_INFO_SCHEMA, () => Promise.resolve([]));
    case 'get_primary_keys':
      return computed(PRIMARY_KEYS_SCHEMA, (inquiry) => primaryKeyRows(inquiry, command));
    case 'get_imported_keys':
      return computed(FOREIGN_KEYS_SCHEMA, (inquiry) => importedKeyRows(inquiry, command));
    case 'get_exported_keys':
      return computed(FOREIGN_KEYS_SCHEMA, (inquiry) => exportedKeyRows(inquiry, command));
    case 'get_cross_reference':
      return computed(FOREIGN_KEYS_SCHEMA, (inquiry) => crossReferenceRows(inquiry, command));
    default:
      return undefined;
  }
}

function computed(schema: Schema, rows: (inquiry: Inquiry) => Promise<readonly Row[]>): MetadataAnswer {
  return { schema, batches: async (inquiry) => batchesOf(schema, await rows(inquiry)) };
}
