import { StatusError } from '@jetbridge/proto/status-error';
import { DUCKDB_TYPE } from './duckdb-types.ts';
import type { ParameterValue } from './engine.ts';
import type { DescribedColumn } from './exported-schema.ts';
import type { Address, LibDuckDb } from './libduckdb.ts';
import { nativeHandle } from './native-memory.ts';

const INT128_MAX = 2n ** 127n - 1n;
const UINT128_MAX = 2n ** 128n - 1n;
const MASK_64 = 2n ** 64n - 1n;
const DECIMAL_MAX_DIGITS = 38;

/** Checks what can be checked without DuckDB: the number of values and that each has a form DuckDB can hold. */
export function requireBindable(values: readonly ParameterValue[], parameters: readonly DescribedColumn[]): void {
  if (values.length !== parameters.length) {
    throw new StatusError('invalid_argument', `The statement has ${parameters.length} parameters, but ${values.length} values were given`);
  }
  for (const [i, value] of values.entries()) {
    const problem = problemOf(value);
    if (problem) {
      throw new StatusError('invalid_argument', `Parameter ${i + 1}: ${problem}`);
    }
  }
}

function problemOf(value: ParameterValue): string | undefined {
  if (value.kind === 'integer' && (value.value > UINT128_MAX || value.value < -INT128_MAX - 1n)) {
    return 'the integer does not fit into 128 bits';
  }
  if (value.kind !== 'decimal') {
    return isInRange(value) ? undefined : 'the value is outside of the range of its type';
  }
  const { unscaled, precision, scale } = value;
  if (precision < 1 || precision > DECIMAL_MAX_DIGITS || scale < 0 || scale > precision) {
    return `DECIMAL(${precision},${scale}) is not a type of DuckDB, whose decimals have 1 to ${DECIMAL_MAX_DIGITS} digits`;
  }
  const magnitude = unscaled < 0n ? -unscaled : unscaled;
  return magnitude >= 10n ** BigInt(precision) ? `the value has more than ${precision} digits` : undefined;
}

const DAY_MICROS = 86_400_000_000n;

/** The C API takes machine integers: what does not fit would silently become another value. */
function isInRange(value: ParameterValue): boolean {
  const int32 = (number: number): boolean => (number | 0) === number;
  const int64 = (number: bigint): boolean => BigInt.asIntN(64, number) === number;
  switch (value.kind) {
    case 'date':
      return int32(value.days);
    case 'time':
      return value.micros >= 0n && value.micros <= DAY_MICROS;
    case 'time_ns':
      return value.nanos >= 0n && value.nanos <= DAY_MICROS * 1000n;
    case 'timestamp':
      return int64(value.micros);
    case 'timestamp_ns':
      return int64(value.nanos);
    case 'interval':
      return int32(value.months) && int32(value.days) && int64(value.micros);
    default:
      return true;
  }
}

/** Binds every value. An integer or double takes the type the binder inferred where it fits exactly, so that overloads resolve as prepared. */
export function bindParameters(
  lib: LibDuckDb,
  statement: Address,
  values: readonly ParameterValue[],
  parameters: readonly DescribedColumn[],
): void {
  lib.clearBindings(statement);
  for (const [i, value] of values.entries()) {
    const failed = bindOne(lib, statement, i + 1, value, parameters[i]?.type.id ?? 0);
    if (failed) {
      throw new StatusError('invalid_argument', lib.prepareError(statement) ?? `Parameter ${i + 1} cannot be bound`);
    }
  }
}

function bindOne(lib: LibDuckDb, statement: Address, index: number, value: ParameterValue, type: number): number {
  switch (value.kind) {
    case 'null':
      return lib.bindNull(statement, index);
    case 'boolean':
      return lib.bindBoolean(statement, index, value.value);
    case 'integer':
      return bindInteger(lib, statement, index, value.value, type);
    case 'double':
      return type === DUCKDB_TYPE.float && Object.is(Math.fround(value.value), value.value)
        ? lib.bindFloat(statement, index, value.value)
        : lib.bindDouble(statement, index, value.value);
    case 'decimal':
      return lib.bindDecimal(statement, index, { width: value.precision, scale: value.scale, value: words(value.unscaled) });
    case 'text':
      return bindBytes(lib.bindText, statement, index, Buffer.from(value.value, 'utf8'));
    case 'binary':
      return bindBytes(lib.bindBlob, statement, index, value.value);
    case 'date':
      return lib.bindDate(statement, index, { days: value.days });
    case 'time':
      return lib.bindTime(statement, index, { micros: value.micros });
    case 'time_ns':
      return bindCreated(lib, statement, index, lib.createTimeNs({ nanos: value.nanos }));
    case 'timestamp':
      return (value.zoned ? lib.bindTimestampTz : lib.bindTimestamp)(statement, index, { micros: value.micros });
    case 'timestamp_ns':
      return bindCreated(lib, statement, index, lib.createTimestampNs({ nanos: value.nanos }));
    case 'interval':
      return lib.bindInterval(statement, index, { months: value.months, days: value.days, micros: value.micros });
  }
}

/** The integer types of DuckDB by what they hold and how they are bound. */
const INTEGERS: ReadonlyMap<number, { readonly holds: (value: bigint) => boolean; readonly bind: BindInteger }> = new Map([
  [DUCKDB_TYPE.tinyint, { holds: isSigned(8), bind: (lib, statement, index, value) => lib.bindInt8(statement, index, Number(value)) }],
  [DUCKDB_TYPE.smallint, { holds: isSigned(16), bind: (lib, statement, index, value) => lib.bindInt16(statement, index, Number(value)) }],
  [DUCKDB_TYPE.integer, { holds: isSigned(32), bind: (lib, statement, index, value) => lib.bindInt32(statement, index, Number(value)) }],
  [DUCKDB_TYPE.utinyint, { holds: isUnsigned(8), bind: (lib, statement, index, value) => lib.bindUint8(statement, index, Number(value)) }],
  [
    DUCKDB_TYPE.usmallint,
    { holds: isUnsigned(16), bind: (lib, statement, index, value) => lib.bindUint16(statement, index, Number(value)) },
  ],
  [
    DUCKDB_TYPE.uinteger,
    { holds: isUnsigned(32), bind: (lib, statement, index, value) => lib.bindUint32(statement, index, Number(value)) },
  ],
  [DUCKDB_TYPE.bigint, { holds: isSigned(64), bind: (lib, statement, index, value) => lib.bindInt64(statement, index, value) }],
  [DUCKDB_TYPE.ubigint, { holds: isUnsigned(64), bind: (lib, statement, index, value) => lib.bindUint64(statement, index, value) }],
  [DUCKDB_TYPE.hugeint, { holds: isSigned(128), bind: (lib, statement, index, value) => lib.bindHugeint(statement, index, words(value)) }],
  [
    DUCKDB_TYPE.uhugeint,
    {
      holds: isUnsigned(128),
      bind: (lib, statement, index, value) => lib.bindUhugeint(statement, index, { lower: value & MASK_64, upper: value >> 64n }),
    },
  ],
]);
/** Where the inferred type is none of them or too narrow: the first of these that holds the value. */
const FALLBACKS = [DUCKDB_TYPE.bigint, DUCKDB_TYPE.ubigint, DUCKDB_TYPE.hugeint, DUCKDB_TYPE.uhugeint] as const;
type BindInteger = (lib: LibDuckDb, statement: Address, index: number, value: bigint) => number;

function isSigned(bits: number): (value: bigint) => boolean {
  return (value) => BigInt.asIntN(bits, value) === value;
}

function isUnsigned(bits: number): (value: bigint) => boolean {
  return (value) => BigInt.asUintN(bits, value) === value;
}

function bindInteger(lib: LibDuckDb, statement: Address, index: number, value: bigint, type: number): number {
  for (const candidate of [type, ...FALLBACKS]) {
    const integer = INTEGERS.get(candidate);
    if (integer?.holds(value)) {
      return integer.bind(lib, statement, index, value);
    }
  }
  throw new StatusError('invalid_argument', `Parameter ${index}: the integer does not fit into 128 bits`);
}

function words(value: bigint): { readonly lower: bigint; readonly upper: bigint } {
  return { lower: BigInt.asUintN(64, value), upper: BigInt.asIntN(64, value >> 64n) };
}

function bindBytes(bind: LibDuckDb['bindBlob'], statement: Address, index: number, bytes: Uint8Array): number {
  // An empty view may have no address at all, which std::string refuses.
  return bind(statement, index, bytes.length === 0 ? Buffer.alloc(8) : bytes, bytes.length);
}

function bindCreated(lib: LibDuckDb, statement: Address, index: number, value: Address): number {
  const handle = nativeHandle(value);
  try {
    return lib.bindValue(statement, index, value);
  } finally {
    lib.destroyValue(handle.holder);
  }
}
