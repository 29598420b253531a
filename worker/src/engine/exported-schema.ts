import { Field, Schema, Utf8 } from 'apache-arrow';
import { withFlightSqlMetadata } from '../arrow/flight-sql-metadata.ts';
import { type ExportedColumn, readExportedSchema } from './arrow-c-schema.ts';
import { type DuckDbType, describeType } from './duckdb-types.ts';
import type { KnownShapes } from './known-shapes.ts';
import type { Address, LibDuckDb } from './libduckdb.ts';
import { type NativeReader, nativeHandle } from './native-memory.ts';
import { shapeOfExported, type TypedName, withExportedSchema } from './schema-export.ts';
import { type VectorLayout, vectorLayoutOf } from './vector-layout.ts';

/** What an export needs of the engine. */
interface ExportTools {
  readonly lib: LibDuckDb;
  readonly reader: NativeReader;
  /** Descriptions made before, where they are kept. */
  readonly known?: KnownShapes<Description>;
}

/** An exported column together with what DuckDB calls its type. */
export interface DescribedColumn extends ExportedColumn {
  readonly type: DuckDbType;
  /** How DuckDB keeps the column; undefined where only its export converts it. */
  readonly vector: VectorLayout | undefined;
}

/** Columns as clients see them. */
export interface Description {
  readonly columns: readonly DescribedColumn[];
  readonly schema: Schema;
  /** The same of a result means that it has exactly these columns; undefined while a type is not known yet. */
  readonly shape: string | undefined;
}

const NOTHING: Description = { columns: [], schema: new Schema([]), shape: undefined };

/**
 * Arrow fields of columns as DuckDB exports them, with Flight SQL metadata. A type that is not known yet (before parameters are bound) or
 * will be cast (VARIANT) is `expected` as utf8; in a `result` every type is what it is, and one that DuckDB cannot export is refused.
 * Frees the types.
 */
export function describeColumns(
  tools: ExportTools,
  options: Address,
  columns: readonly TypedName[],
  purpose: 'expected' | 'result',
): Description {
  if (columns.length === 0) {
    return NOTHING;
  }
  const isText = (type: DuckDbType): boolean => purpose === 'expected' && (!type.known || type.hasVariant);
  const types = columns.map((column) => describeType(tools.lib, column.type));
  try {
    return types.some(isText)
      ? describePartly(
          tools,
          options,
          columns.map((column, i) => ({ ...column, described: types[i] as DuckDbType, asText: isText(types[i] as DuckDbType) })),
        )
      : withExportedSchema(tools.lib, options, columns, (schema) => describeExported(tools, schema, columns, types));
  } finally {
    for (const column of columns) {
      if (column.type !== 0) {
        tools.lib.destroyType(nativeHandle(column.type).holder);
      }
    }
  }
}

/** Statements repeat themselves: what is described already, and its schema's messages with it, is found by its shape. */
function describeExported(tools: ExportTools, exported: Address, columns: readonly TypedName[], types: readonly DuckDbType[]): Description {
  const { lib, reader, known } = tools;
  const shape = shapeOfExported(lib, reader, exported, columns);
  const found = known?.get(shape);
  if (found) {
    return found;
  }
  const described = readExportedSchema(reader, exported).map((column, i) =>
    describedColumn(lib, columns[i] as TypedName, types[i] as DuckDbType, column),
  );
  const description = { columns: described, schema: schemaOf(described), shape };
  known?.add(shape, description);
  return description;
}

interface ExpectedColumn extends TypedName {
  readonly described: DuckDbType;
  readonly asText: boolean;
}

function describePartly({ lib, reader }: ExportTools, options: Address, columns: readonly ExpectedColumn[]): Description {
  const exportable = columns.filter((column) => !column.asText);
  const exported = withExportedSchema(lib, options, exportable, (schema) => readExportedSchema(reader, schema)).values();
  const described = columns.map((column) =>
    describedColumn(lib, column, column.described, column.asText ? undefined : (exported.next().value as ExportedColumn)),
  );
  return { columns: described, schema: schemaOf(described), shape: undefined };
}

function describedColumn(lib: LibDuckDb, column: TypedName, type: DuckDbType, exported: ExportedColumn | undefined): DescribedColumn {
  const { field, layout } = exported ?? { field: new Field(column.name, new Utf8(), true), layout: { kind: 'bytes' } as const };
  const metadata = { typeName: type.name, precision: type.precision, scale: type.scale };
  const vector = exported && vectorLayoutOf(lib, column.type, layout);
  return { type, layout, vector, field: withFlightSqlMetadata(field, metadata) };
}

export function schemaOf(columns: readonly DescribedColumn[]): Schema {
  return new Schema(columns.map((column) => column.field));
}
