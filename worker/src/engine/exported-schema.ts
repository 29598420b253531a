import { StatusError } from '@jetbridge/proto/status-error';
import { Field, Utf8 } from 'apache-arrow';
import { withFlightSqlMetadata } from '../arrow/flight-sql-metadata.ts';
import { ARROW_SCHEMA_BYTES, type ExportedColumn, readExportedSchema, schemaReleaseCallback } from './arrow-c-schema.ts';
import { duckDbError } from './duckdb-errors.ts';
import { type DuckDbType, describeType } from './duckdb-types.ts';
import type { Address, LibDuckDb } from './libduckdb.ts';
import { addressList, type NativeReader, nativeHandle } from './native-memory.ts';

/** What an export needs of the engine. */
interface ExportTools {
  readonly lib: LibDuckDb;
  readonly reader: NativeReader;
}

/** A named column or parameter with the handle of its type, which this module frees. Address 0: the type is not known yet. */
export interface TypedName {
  readonly name: string;
  readonly type: Address;
}

/** An exported column together with what DuckDB calls its type. */
export interface DescribedColumn extends ExportedColumn {
  readonly type: DuckDbType;
}

/**
 * Arrow fields of columns as DuckDB exports them, with Flight SQL metadata. A type that is not known yet (before parameters are bound) or
 * will be cast (VARIANT) is `expected` as utf8; in a `result` every type is what it is, and one that DuckDB cannot export is refused.
 */
export function exportColumns(
  { lib, reader }: ExportTools,
  options: Address,
  columns: readonly TypedName[],
  purpose: 'expected' | 'result',
): DescribedColumn[] {
  const isText = (type: DuckDbType | undefined): boolean => purpose === 'expected' && (!type?.known || type.hasVariant);
  const types = columns.map((column) => describeType(lib, column.type));
  try {
    const exportable = columns.filter((_, i) => !isText(types[i]));
    const exported = exportTypes(lib, reader, options, exportable).values();
    return columns.map((column, i) => {
      const type = types[i] as DuckDbType;
      const found = isText(type) ? undefined : exported.next().value;
      const { field, layout } = found ?? { field: new Field(column.name, new Utf8(), true), layout: { kind: 'bytes' } as const };
      const metadata = { typeName: type.name, precision: type.precision, scale: type.scale };
      return { type, layout, field: withFlightSqlMetadata(field, metadata) };
    });
  } finally {
    for (const column of columns) {
      if (column.type !== 0) {
        lib.destroyType(nativeHandle(column.type).holder);
      }
    }
  }
}

function exportTypes(lib: LibDuckDb, reader: NativeReader, options: Address, columns: readonly TypedName[]): ExportedColumn[] {
  const names = columns.map((column) => Buffer.from(`${column.name}\0`, 'utf8'));
  const pointers = addressList(names.map((name) => lib.addressOf(name)));
  const types = addressList(columns.map((column) => column.type));
  const schema = new DataView(new ArrayBuffer(ARROW_SCHEMA_BYTES));
  const error = lib.toArrowSchema(options, types, pointers, columns.length, schema);
  if (error !== 0) {
    throw exportError(lib, error);
  }
  try {
    return readExportedSchema(reader, lib.addressOf(schema));
  } finally {
    lib.callRelease(schemaReleaseCallback(schema), schema);
    // `names` must outlive the call above: DuckDB reads them through `pointers`.
    names.length = 0;
  }
}

/** The failure of an export; frees the error. */
export function exportError(lib: LibDuckDb, error: Address): StatusError {
  const thrown = lib.errorMessage(error);
  lib.destroyError(nativeHandle(error).holder);
  // The export hands exceptions on in their serialized form.
  const { exception_type: type, exception_message: message } = parsedException(thrown);
  if (type === undefined || message === undefined) {
    return new StatusError('unimplemented', thrown);
  }
  return /maximum .*offset/s.test(message) ? new StatusError('resource_exhausted', message) : duckDbError(`${type} Error: ${message}`);
}

function parsedException(text: string): { readonly exception_type?: string; readonly exception_message?: string } {
  try {
    return JSON.parse(text) as ReturnType<typeof parsedException>;
  } catch {
    return {};
  }
}
