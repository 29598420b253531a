import koffi from 'koffi';
import { type Address, loadLibDuckDb, type NativeFunction } from './libduckdb.ts';
import { libraryPath } from './library-path.ts';

type DuckDbState = number;
type Destroy = NativeFunction<[holder: BigUint64Array], void>;

/** The part of DuckDB's C API that takes rows over from Arrow. A wrong signature crashes the process, as in libduckdb.ts. */
export interface LibImport {
  /** Returns an error, or 0. The schema is only read. */
  readonly schemaFromArrow: NativeFunction<[connection: Address, schema: BigUint64Array, out: BigUint64Array], Address>;
  /** Returns an error, or 0. The chunk refers to the array's memory until it is destroyed. */
  readonly chunkFromArrow: NativeFunction<[connection: Address, array: BigUint64Array, schema: Address, out: BigUint64Array], Address>;
  readonly destroySchema: Destroy;
  readonly vectorType: NativeFunction<[vector: Address], Address>;
  readonly createAppender: NativeFunction<
    [connection: Address, query: string, count: number, types: BigUint64Array, table: string, names: BigUint64Array, out: BigUint64Array],
    DuckDbState
  >;
  readonly appendChunk: NativeFunction<[appender: Address, chunk: Address], DuckDbState>;
  readonly flushAppender: NativeFunction<[appender: Address], DuckDbState>;
  readonly clearAppender: NativeFunction<[appender: Address], DuckDbState>;
  readonly destroyAppender: NativeFunction<[holder: BigUint64Array], DuckDbState>;
  /** An error to be destroyed, empty where nothing has failed. */
  readonly appenderError: NativeFunction<[appender: Address], Address>;
  readonly errorType: NativeFunction<[error: Address], number>;
  /** A function that does nothing, whatever it is called with: the release callback for memory that JavaScript owns. */
  readonly doNothing: Address;
}

export function loadLibImport(): LibImport {
  loaded ??= declareImport();
  return loaded;
}
let loaded: LibImport | undefined;

function declareImport(): LibImport {
  // It checks the version and sizes koffi's stacks.
  loadLibDuckDb();
  const library = koffi.load(libraryPath());
  const declare = <F>(signature: string): F => library.func(signature) as unknown as F;
  return {
    schemaFromArrow: declare('uintptr_t duckdb_schema_from_arrow(uintptr_t connection, void* schema, void* out)'),
    chunkFromArrow: declare('uintptr_t duckdb_data_chunk_from_arrow(uintptr_t connection, void* array, uintptr_t schema, void* out)'),
    destroySchema: declare('void duckdb_destroy_arrow_converted_schema(void* schema)'),
    vectorType: declare('uintptr_t duckdb_vector_get_column_type(uintptr_t vector)'),
    createAppender: declare(
      'int duckdb_appender_create_query(uintptr_t connection, str query, uint64_t count, void* types, str table, void* names, void* out)',
    ),
    appendChunk: declare('int duckdb_append_data_chunk(uintptr_t appender, uintptr_t chunk)'),
    flushAppender: declare('int duckdb_appender_flush(uintptr_t appender)'),
    clearAppender: declare('int duckdb_appender_clear(uintptr_t appender)'),
    destroyAppender: declare('int duckdb_appender_destroy(void* appender)'),
    appenderError: declare('uintptr_t duckdb_appender_error_data(uintptr_t appender)'),
    errorType: declare('int duckdb_error_data_error_type(uintptr_t error)'),
    // It takes no argument and returns a constant.
    doNothing: Number(koffi.address(library.symbol('duckdb_vector_size'))),
  };
}
