import { Field } from 'apache-arrow';

/** Column metadata of the Flight SQL specification; drivers show it through their ResultSetMetaData. */
export interface FlightSqlColumn {
  readonly catalogName?: string | undefined;
  readonly schemaName?: string | undefined;
  readonly tableName?: string | undefined;
  readonly typeName?: string | undefined;
  readonly precision?: number | undefined;
  readonly scale?: number | undefined;
  readonly autoIncrement?: boolean | undefined;
  readonly caseSensitive?: boolean | undefined;
  readonly readOnly?: boolean | undefined;
  readonly searchable?: boolean | undefined;
  readonly remarks?: string | undefined;
}

const KEYS: Readonly<Record<keyof FlightSqlColumn, string>> = {
  catalogName: 'CATALOG_NAME',
  schemaName: 'SCHEMA_NAME',
  tableName: 'TABLE_NAME',
  typeName: 'TYPE_NAME',
  precision: 'PRECISION',
  scale: 'SCALE',
  autoIncrement: 'IS_AUTO_INCREMENT',
  caseSensitive: 'IS_CASE_SENSITIVE',
  readOnly: 'IS_READ_ONLY',
  searchable: 'IS_SEARCHABLE',
  remarks: 'REMARKS',
};

/** The same field with `ARROW:FLIGHT:SQL:*` metadata added; what it carried before stays. */
export function withFlightSqlMetadata(field: Field, column: FlightSqlColumn): Field {
  const metadata = new Map(field.metadata);
  for (const [name, key] of Object.entries(KEYS) as [keyof FlightSqlColumn, string][]) {
    const value = column[name];
    if (value !== undefined) {
      metadata.set(`ARROW:FLIGHT:SQL:${key}`, String(typeof value === 'boolean' ? Number(value) : value));
    }
  }
  return new Field(field.name, field.type, field.nullable, metadata);
}
