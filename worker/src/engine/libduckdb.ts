import { StatusError } from '@jetbridge/proto/status-error';
import koffi from 'koffi';
import { NATIVE_CALLS_MAX, NATIVE_STACK_BYTES, NATIVE_STACKS_KEPT } from './engine-limits.ts';
import { libraryPath } from './library-path.ts';

/** An address in this process; user space ends below 2^53 on every platform DuckDB is built for. */
export type Address = number;
type DuckDbState = number;

/** A native function: called directly it runs on this thread, through `callAsync` on the libuv pool. */
export interface NativeFunction<A extends readonly unknown[], R> {
  (...args: A): R;
  readonly async: (...args: [...A, (error: Error | null, result: R) => void]) => void;
}

/** `duckdb_result` by value; six machine words that DuckDB itself calls opaque. */
export interface ResultWords {
  readonly a: bigint;
  readonly b: bigint;
  readonly c: bigint;
  readonly d: bigint;
  readonly e: bigint;
  readonly f: bigint;
}
interface Hugeint {
  readonly lower: bigint;
  readonly upper: bigint;
}
type Bind<V extends readonly unknown[]> = NativeFunction<[statement: Address, index: number, ...V], DuckDbState>;
type Destroy = NativeFunction<[holder: BigUint64Array], void>;

/** The part of DuckDB's C API (and of libc) that the engine uses. A wrong signature crashes the process: see `SUPPORTED_VERSION`. */
export interface LibDuckDb {
  readonly version: NativeFunction<[], string>;
  readonly createConfig: NativeFunction<[out: BigUint64Array], DuckDbState>;
  readonly setConfig: NativeFunction<[config: Address, name: string, value: string], DuckDbState>;
  readonly destroyConfig: Destroy;
  readonly openExt: NativeFunction<[path: string, out: BigUint64Array, config: Address, error: BigUint64Array], DuckDbState>;
  /** Frees memory that DuckDB allocated for its caller. */
  readonly free: NativeFunction<[memory: Address], void>;
  readonly close: Destroy;
  readonly connect: NativeFunction<[database: Address, out: BigUint64Array], DuckDbState>;
  readonly disconnect: Destroy;
  readonly interrupt: NativeFunction<[connection: Address], void>;
  readonly connectionArrowOptions: NativeFunction<[connection: Address, out: BigUint64Array], void>;
  readonly resultArrowOptions: NativeFunction<[result: ArrayBufferView], Address>;
  readonly destroyArrowOptions: Destroy;
  readonly extractStatements: NativeFunction<[connection: Address, sql: string, out: BigUint64Array], number>;
  readonly extractError: NativeFunction<[extracted: Address], string | null>;
  readonly prepareExtracted: NativeFunction<[connection: Address, extracted: Address, index: number, out: BigUint64Array], DuckDbState>;
  readonly destroyExtracted: Destroy;
  readonly prepareError: NativeFunction<[statement: Address], string | null>;
  readonly destroyPrepare: Destroy;
  readonly statementType: NativeFunction<[statement: Address], number>;
  readonly columnCount: NativeFunction<[statement: Address], number>;
  readonly columnName: NativeFunction<[statement: Address, index: number], string | null>;
  readonly columnLogicalType: NativeFunction<[statement: Address, index: number], Address>;
  readonly parameterCount: NativeFunction<[statement: Address], number>;
  readonly parameterName: NativeFunction<[statement: Address, index: number], string | null>;
  readonly parameterLogicalType: NativeFunction<[statement: Address, index: number], Address>;
  readonly executePrepared: NativeFunction<[statement: Address, result: ArrayBufferView], DuckDbState>;
  readonly executeStreaming: NativeFunction<[statement: Address, result: ArrayBufferView], DuckDbState>;
  readonly resultError: NativeFunction<[result: ArrayBufferView], string | null>;
  readonly resultReturnType: NativeFunction<[result: ResultWords], number>;
  readonly resultColumnCount: NativeFunction<[result: ArrayBufferView], number>;
  readonly resultColumnName: NativeFunction<[result: ArrayBufferView, index: number], string>;
  readonly resultColumnLogicalType: NativeFunction<[result: ArrayBufferView, index: number], Address>;
  readonly rowsChanged: NativeFunction<[result: ArrayBufferView], number | bigint>;
  readonly destroyResult: NativeFunction<[result: ArrayBufferView], void>;
  readonly fetchChunk: NativeFunction<[result: ResultWords], Address>;
  readonly chunkSize: NativeFunction<[chunk: Address], number>;
  readonly destroyChunk: Destroy;
  readonly createChunk: NativeFunction<[types: BigUint64Array, count: number], Address>;
  readonly setChunkSize: NativeFunction<[chunk: Address, rows: number], void>;
  readonly chunkVector: NativeFunction<[chunk: Address, index: number], Address>;
  readonly vectorData: NativeFunction<[vector: Address], Address>;
  /** Address of the bitmap of values that are not NULL, or 0 when none is. */
  readonly vectorValidity: NativeFunction<[vector: Address], Address>;
  readonly listVectorChild: NativeFunction<[vector: Address], Address>;
  readonly listVectorSize: NativeFunction<[vector: Address], number>;
  readonly structVectorChild: NativeFunction<[vector: Address, index: number], Address>;
  readonly arrayVectorChild: NativeFunction<[vector: Address], Address>;
  /** Makes the first vector share the values of the second. */
  readonly referenceVector: NativeFunction<[to: Address, from: Address], void>;
  readonly toArrowSchema: NativeFunction<
    [options: Address, types: BigUint64Array, names: BigUint64Array, count: number, out: ArrayBufferView],
    Address
  >;
  readonly chunkToArrow: NativeFunction<[options: Address, chunk: Address, out: ArrayBufferView], Address>;
  readonly errorMessage: NativeFunction<[error: Address], string>;
  readonly destroyError: Destroy;
  readonly typeId: NativeFunction<[type: Address], number>;
  readonly typeAlias: NativeFunction<[type: Address], string | null>;
  readonly decimalWidth: NativeFunction<[type: Address], number>;
  readonly decimalScale: NativeFunction<[type: Address], number>;
  readonly listChild: NativeFunction<[type: Address], Address>;
  readonly arrayChild: NativeFunction<[type: Address], Address>;
  readonly mapKey: NativeFunction<[type: Address], Address>;
  readonly mapValue: NativeFunction<[type: Address], Address>;
  readonly structChildCount: NativeFunction<[type: Address], number>;
  readonly structChild: NativeFunction<[type: Address, index: number], Address>;
  readonly unionMemberCount: NativeFunction<[type: Address], number>;
  readonly unionMember: NativeFunction<[type: Address, index: number], Address>;
  readonly destroyType: Destroy;
  readonly clearBindings: NativeFunction<[statement: Address], DuckDbState>;
  readonly bindNull: Bind<[]>;
  readonly bindBoolean: Bind<[boolean]>;
  readonly bindInt8: Bind<[number]>;
  readonly bindInt16: Bind<[number]>;
  readonly bindInt32: Bind<[number]>;
  readonly bindInt64: Bind<[bigint]>;
  readonly bindUint8: Bind<[number]>;
  readonly bindUint16: Bind<[number]>;
  readonly bindUint32: Bind<[number]>;
  readonly bindUint64: Bind<[bigint]>;
  readonly bindHugeint: Bind<[Hugeint]>;
  readonly bindUhugeint: Bind<[Hugeint]>;
  readonly bindFloat: Bind<[number]>;
  readonly bindDouble: Bind<[number]>;
  readonly bindDecimal: Bind<[{ readonly width: number; readonly scale: number; readonly value: Hugeint }]>;
  readonly bindText: Bind<[text: Uint8Array, length: number]>;
  readonly bindBlob: Bind<[bytes: Uint8Array, length: number]>;
  readonly bindDate: Bind<[{ readonly days: number }]>;
  readonly bindTime: Bind<[{ readonly micros: bigint }]>;
  readonly bindTimestamp: Bind<[{ readonly micros: bigint }]>;
  readonly bindTimestampTz: Bind<[{ readonly micros: bigint }]>;
  readonly bindInterval: Bind<[{ readonly months: number; readonly days: number; readonly micros: bigint }]>;
  readonly bindValue: Bind<[value: Address]>;
  readonly createTimestampNs: NativeFunction<[{ readonly nanos: bigint }], Address>;
  readonly createTimeNs: NativeFunction<[{ readonly nanos: bigint }], Address>;
  readonly destroyValue: Destroy;
  /** libc's memcpy between an address and an address. */
  readonly copy: NativeFunction<[target: Address, source: Address, bytes: number], void>;
  readonly stringLength: NativeFunction<[text: Address], number>;
  /** Address of memory that JavaScript owns; valid only while the caller keeps the buffer. */
  readonly addressOf: (memory: ArrayBufferView) => Address;
  /** Calls an Arrow release callback on its structure. */
  readonly callRelease: (callback: Address, structure: ArrayBufferView) => void;
}

/** The signatures below were checked against this release line's `duckdb.h`. */
const SUPPORTED_VERSION = /^v1\.5\.[5-9]/;

/** Runs a native function on the libuv pool. The caller keeps every buffer argument alive and still until it settles. */
export function callAsync<A extends readonly unknown[], R>(fn: NativeFunction<A, R>, ...args: A): Promise<R> {
  return new Promise((resolve, reject) => {
    fn.async(...args, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

/** Loads the library that the platform's `@duckdb/node-bindings-*` package ships. Loading twice in one thread gives the same object. */
export function loadLibDuckDb(): LibDuckDb {
  loaded ??= declareLibrary(libraryPath());
  return loaded;
}
// A library can be loaded once per thread: koffi's type names and stack sizes are global to it, and signatures have no state.
let loaded: LibDuckDb | undefined;

function declareLibrary(path: string): LibDuckDb {
  koffi.config({
    ...koffi.config(),
    sync_stack_size: NATIVE_STACK_BYTES,
    async_stack_size: NATIVE_STACK_BYTES,
    resident_async_pools: NATIVE_STACKS_KEPT,
    max_async_calls: NATIVE_CALLS_MAX,
  });
  const library = koffi.load(path);
  const libc = koffi.load(process.platform === 'win32' ? 'ucrtbase.dll' : null);
  const declare = <F>(signature: string): F => library.func(signature) as unknown as F;
  const version = declare<LibDuckDb['version']>('str duckdb_library_version()');
  if (!SUPPORTED_VERSION.test(version())) {
    throw new StatusError('failed_precondition', `This worker speaks the C API of DuckDB 1.5.5, but ${path} is ${version()}`);
  }
  // Strings that DuckDB allocates for the caller: koffi copies them and frees the original.
  koffi.disposable('owned_str', 'str', declare<(memory: unknown) => void>('void duckdb_free(void* memory)'));
  koffi.struct('duckdb_result', { a: 'uint64_t', b: 'uint64_t', c: 'uint64_t', d: 'uint64_t', e: 'uint64_t', f: 'uint64_t' });
  koffi.struct('duckdb_hugeint', { lower: 'uint64_t', upper: 'int64_t' });
  koffi.struct('duckdb_uhugeint', { lower: 'uint64_t', upper: 'uint64_t' });
  koffi.struct('duckdb_decimal', { width: 'uint8_t', scale: 'uint8_t', value: 'duckdb_hugeint' });
  koffi.struct('duckdb_date', { days: 'int32_t' });
  koffi.struct('duckdb_micros', { micros: 'int64_t' });
  koffi.struct('duckdb_nanos', { nanos: 'int64_t' });
  koffi.struct('duckdb_interval', { months: 'int32_t', days: 'int32_t', micros: 'int64_t' });
  const release = koffi.proto('void arrow_release(void* structure)');
  const bind = <V extends readonly unknown[]>(name: string, rest: string): Bind<V> =>
    declare(`int duckdb_bind_${name}(uintptr_t statement, uint64_t index${rest})`);
  return {
    version,
    createConfig: declare('int duckdb_create_config(void* out)'),
    setConfig: declare('int duckdb_set_config(uintptr_t config, str name, str value)'),
    destroyConfig: declare('void duckdb_destroy_config(void* config)'),
    openExt: declare('int duckdb_open_ext(str path, void* out, uintptr_t config, void* error)'),
    free: declare('void duckdb_free(uintptr_t memory)'),
    close: declare('void duckdb_close(void* database)'),
    connect: declare('int duckdb_connect(uintptr_t database, void* out)'),
    disconnect: declare('void duckdb_disconnect(void* connection)'),
    interrupt: declare('void duckdb_interrupt(uintptr_t connection)'),
    connectionArrowOptions: declare('void duckdb_connection_get_arrow_options(uintptr_t connection, void* out)'),
    resultArrowOptions: declare('uintptr_t duckdb_result_get_arrow_options(void* result)'),
    destroyArrowOptions: declare('void duckdb_destroy_arrow_options(void* options)'),
    extractStatements: declare('uint64_t duckdb_extract_statements(uintptr_t connection, str sql, void* out)'),
    extractError: declare('str duckdb_extract_statements_error(uintptr_t extracted)'),
    prepareExtracted: declare(
      'int duckdb_prepare_extracted_statement(uintptr_t connection, uintptr_t extracted, uint64_t index, void* out)',
    ),
    destroyExtracted: declare('void duckdb_destroy_extracted(void* extracted)'),
    prepareError: declare('str duckdb_prepare_error(uintptr_t statement)'),
    destroyPrepare: declare('void duckdb_destroy_prepare(void* statement)'),
    statementType: declare('int duckdb_prepared_statement_type(uintptr_t statement)'),
    columnCount: declare('uint64_t duckdb_prepared_statement_column_count(uintptr_t statement)'),
    columnName: declare('owned_str duckdb_prepared_statement_column_name(uintptr_t statement, uint64_t index)'),
    columnLogicalType: declare('uintptr_t duckdb_prepared_statement_column_logical_type(uintptr_t statement, uint64_t index)'),
    parameterCount: declare('uint64_t duckdb_nparams(uintptr_t statement)'),
    parameterName: declare('owned_str duckdb_parameter_name(uintptr_t statement, uint64_t index)'),
    parameterLogicalType: declare('uintptr_t duckdb_param_logical_type(uintptr_t statement, uint64_t index)'),
    executePrepared: declare('int duckdb_execute_prepared(uintptr_t statement, void* result)'),
    executeStreaming: declare('int duckdb_execute_prepared_streaming(uintptr_t statement, void* result)'),
    resultError: declare('str duckdb_result_error(void* result)'),
    resultReturnType: declare('int duckdb_result_return_type(duckdb_result result)'),
    resultColumnCount: declare('uint64_t duckdb_column_count(void* result)'),
    resultColumnName: declare('str duckdb_column_name(void* result, uint64_t index)'),
    resultColumnLogicalType: declare('uintptr_t duckdb_column_logical_type(void* result, uint64_t index)'),
    rowsChanged: declare('uint64_t duckdb_rows_changed(void* result)'),
    destroyResult: declare('void duckdb_destroy_result(void* result)'),
    fetchChunk: declare('uintptr_t duckdb_fetch_chunk(duckdb_result result)'),
    chunkSize: declare('uint64_t duckdb_data_chunk_get_size(uintptr_t chunk)'),
    destroyChunk: declare('void duckdb_destroy_data_chunk(void* chunk)'),
    createChunk: declare('uintptr_t duckdb_create_data_chunk(void* types, uint64_t count)'),
    setChunkSize: declare('void duckdb_data_chunk_set_size(uintptr_t chunk, uint64_t rows)'),
    chunkVector: declare('uintptr_t duckdb_data_chunk_get_vector(uintptr_t chunk, uint64_t index)'),
    vectorData: declare('uintptr_t duckdb_vector_get_data(uintptr_t vector)'),
    vectorValidity: declare('uintptr_t duckdb_vector_get_validity(uintptr_t vector)'),
    listVectorChild: declare('uintptr_t duckdb_list_vector_get_child(uintptr_t vector)'),
    listVectorSize: declare('uint64_t duckdb_list_vector_get_size(uintptr_t vector)'),
    structVectorChild: declare('uintptr_t duckdb_struct_vector_get_child(uintptr_t vector, uint64_t index)'),
    arrayVectorChild: declare('uintptr_t duckdb_array_vector_get_child(uintptr_t vector)'),
    referenceVector: declare('void duckdb_vector_reference_vector(uintptr_t to, uintptr_t from)'),
    toArrowSchema: declare('uintptr_t duckdb_to_arrow_schema(uintptr_t options, void* types, void* names, uint64_t count, void* out)'),
    chunkToArrow: declare('uintptr_t duckdb_data_chunk_to_arrow(uintptr_t options, uintptr_t chunk, void* out)'),
    errorMessage: declare('str duckdb_error_data_message(uintptr_t error)'),
    destroyError: declare('void duckdb_destroy_error_data(void* error)'),
    typeId: declare('int duckdb_get_type_id(uintptr_t type)'),
    typeAlias: declare('owned_str duckdb_logical_type_get_alias(uintptr_t type)'),
    decimalWidth: declare('uint8_t duckdb_decimal_width(uintptr_t type)'),
    decimalScale: declare('uint8_t duckdb_decimal_scale(uintptr_t type)'),
    listChild: declare('uintptr_t duckdb_list_type_child_type(uintptr_t type)'),
    arrayChild: declare('uintptr_t duckdb_array_type_child_type(uintptr_t type)'),
    mapKey: declare('uintptr_t duckdb_map_type_key_type(uintptr_t type)'),
    mapValue: declare('uintptr_t duckdb_map_type_value_type(uintptr_t type)'),
    structChildCount: declare('uint64_t duckdb_struct_type_child_count(uintptr_t type)'),
    structChild: declare('uintptr_t duckdb_struct_type_child_type(uintptr_t type, uint64_t index)'),
    unionMemberCount: declare('uint64_t duckdb_union_type_member_count(uintptr_t type)'),
    unionMember: declare('uintptr_t duckdb_union_type_member_type(uintptr_t type, uint64_t index)'),
    destroyType: declare('void duckdb_destroy_logical_type(void* type)'),
    clearBindings: declare('int duckdb_clear_bindings(uintptr_t statement)'),
    bindNull: bind('null', ''),
    bindBoolean: bind('boolean', ', bool value'),
    bindInt8: bind('int8', ', int8_t value'),
    bindInt16: bind('int16', ', int16_t value'),
    bindInt32: bind('int32', ', int32_t value'),
    bindInt64: bind('int64', ', int64_t value'),
    bindUint8: bind('uint8', ', uint8_t value'),
    bindUint16: bind('uint16', ', uint16_t value'),
    bindUint32: bind('uint32', ', uint32_t value'),
    bindUint64: bind('uint64', ', uint64_t value'),
    bindHugeint: bind('hugeint', ', duckdb_hugeint value'),
    bindUhugeint: bind('uhugeint', ', duckdb_uhugeint value'),
    bindFloat: bind('float', ', float value'),
    bindDouble: bind('double', ', double value'),
    bindDecimal: bind('decimal', ', duckdb_decimal value'),
    bindText: bind('varchar_length', ', void* text, uint64_t length'),
    bindBlob: bind('blob', ', void* bytes, uint64_t length'),
    bindDate: bind('date', ', duckdb_date value'),
    bindTime: bind('time', ', duckdb_micros value'),
    bindTimestamp: bind('timestamp', ', duckdb_micros value'),
    bindTimestampTz: bind('timestamp_tz', ', duckdb_micros value'),
    bindInterval: bind('interval', ', duckdb_interval value'),
    bindValue: bind('value', ', uintptr_t value'),
    createTimestampNs: declare('uintptr_t duckdb_create_timestamp_ns(duckdb_nanos value)'),
    createTimeNs: declare('uintptr_t duckdb_create_time_ns(duckdb_nanos value)'),
    destroyValue: declare('void duckdb_destroy_value(void* value)'),
    copy: libc.func('void memcpy(uintptr_t target, uintptr_t source, size_t bytes)') as unknown as LibDuckDb['copy'],
    stringLength: libc.func('size_t strlen(uintptr_t text)') as unknown as LibDuckDb['stringLength'],
    addressOf: (memory) => Number(koffi.address(memory)),
    callRelease: (callback, structure) => void koffi.call(BigInt(callback), release, structure),
  };
}
