import { StatusError } from '@jetbridge/proto/status-error';
import { duckDbError } from './duckdb-errors.ts';
import { typeText } from './duckdb-types.ts';
import type { Address, LibDuckDb } from './libduckdb.ts';
import { addressAt, addressList, type NativeReader, nativeHandle } from './native-memory.ts';

/** Size of `struct ArrowSchema` (Arrow C data interface) on 64-bit platforms. */
export const ARROW_SCHEMA_BYTES = 72;

/** A named column or parameter with the handle of its type, which whoever made it frees. Address 0: the type is not known yet. */
export interface TypedName {
  readonly name: string;
  readonly type: Address;
}

/** Exports the schema of columns for as long as `use` reads it at its address. */
export function withExportedSchema<T>(lib: LibDuckDb, options: Address, columns: readonly TypedName[], use: (schema: Address) => T): T {
  const names = columns.map((column) => Buffer.from(`${column.name}\0`, 'utf8'));
  const pointers = addressList(names.map((name) => lib.addressOf(name)));
  const types = addressList(columns.map((column) => column.type));
  const schema = new DataView(new ArrayBuffer(ARROW_SCHEMA_BYTES));
  const error = lib.toArrowSchema(options, types, pointers, columns.length, schema);
  if (error !== 0) {
    throw exportError(lib, error);
  }
  try {
    return use(lib.addressOf(schema));
  } finally {
    lib.callRelease(addressAt(schema, 56), schema);
    // `names` must outlive the call above: DuckDB reads them through `pointers`.
    names.length = 0;
  }
}

/** Everything that decides what columns are and how they travel, as a text to compare: names, types, and their Arrow form under the options. */
export function shapeOf(lib: LibDuckDb, reader: NativeReader, options: Address, columns: readonly TypedName[]): string {
  return withExportedSchema(lib, options, columns, (schema) => shapeOfExported(lib, reader, schema, columns));
}

/** The same of columns that are exported already. */
export function shapeOfExported(lib: LibDuckDb, reader: NativeReader, schema: Address, columns: readonly TypedName[]): string {
  return `${columns.map((column) => typeText(lib, column.type)).join()} ${fieldText(reader, schema)}`;
}

function fieldText(reader: NativeReader, address: Address): string {
  const schema = reader.peek(address, ARROW_SCHEMA_BYTES);
  // All of it before the next look: it lasts no longer.
  const [formatAt, nameAt, metadataAt, flags] = [addressAt(schema, 0), addressAt(schema, 8), addressAt(schema, 16), addressAt(schema, 24)];
  const [count, childrenAt] = [addressAt(schema, 32), addressAt(schema, 40)];
  const dictionary = addressAt(schema, 48) === 0 ? '' : 'dictionary';
  const children = count === 0 ? [] : reader.addresses(childrenAt, count).map((child) => fieldText(reader, child));
  const texts = JSON.stringify([reader.text(formatAt), reader.text(nameAt), metadataText(reader, metadataAt)]);
  return `${texts}${flags}${dictionary}[${children.join()}]`;
}

/** The C data interface's binary key-value form, as it is. */
function metadataText(reader: NativeReader, address: Address): string {
  if (address === 0) {
    return '';
  }
  let end = address + 4;
  for (let left = reader.int32(address) * 2; left > 0; left--) {
    end += 4 + reader.int32(end);
  }
  return reader.copyOf(address, end - address).toString('latin1');
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
