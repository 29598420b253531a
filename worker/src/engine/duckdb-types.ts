import type { Address, LibDuckDb } from './libduckdb.ts';
import { nativeHandle } from './native-memory.ts';

/** `duckdb_type` numbers that the engine decides by. */
export const DUCKDB_TYPE = {
  boolean: 1,
  tinyint: 2,
  smallint: 3,
  integer: 4,
  bigint: 5,
  utinyint: 6,
  usmallint: 7,
  uinteger: 8,
  ubigint: 9,
  float: 10,
  double: 11,
  timestamp: 12,
  date: 13,
  time: 14,
  hugeint: 16,
  varchar: 17,
  blob: 18,
  decimal: 19,
  timestampS: 20,
  timestampMs: 21,
  timestampNs: 22,
  list: 24,
  struct: 25,
  map: 26,
  union: 28,
  timestampTz: 31,
  uhugeint: 32,
  array: 33,
  timeNs: 39,
  variant: 41,
} as const;

const NAMES: Readonly<Record<number, string>> = {
  1: 'BOOLEAN',
  2: 'TINYINT',
  3: 'SMALLINT',
  4: 'INTEGER',
  5: 'BIGINT',
  6: 'UTINYINT',
  7: 'USMALLINT',
  8: 'UINTEGER',
  9: 'UBIGINT',
  10: 'FLOAT',
  11: 'DOUBLE',
  12: 'TIMESTAMP',
  13: 'DATE',
  14: 'TIME',
  15: 'INTERVAL',
  16: 'HUGEINT',
  17: 'VARCHAR',
  18: 'BLOB',
  19: 'DECIMAL',
  20: 'TIMESTAMP_S',
  21: 'TIMESTAMP_MS',
  22: 'TIMESTAMP_NS',
  23: 'ENUM',
  24: 'LIST',
  25: 'STRUCT',
  26: 'MAP',
  27: 'UUID',
  28: 'UNION',
  29: 'BIT',
  30: 'TIME WITH TIME ZONE',
  31: 'TIMESTAMP WITH TIME ZONE',
  32: 'UHUGEINT',
  33: 'ARRAY',
  35: 'BIGNUM',
  36: 'NULL',
  39: 'TIME_NS',
  40: 'GEOMETRY',
  41: 'VARIANT',
};
const INTEGER_DIGITS: Readonly<Record<number, number>> = { 2: 3, 3: 5, 4: 10, 5: 19, 6: 3, 7: 5, 8: 10, 9: 20, 16: 39, 32: 39 };

/** What is known of a column or a parameter besides its Arrow type. `known` is false where the binder could not decide yet. */
export interface DuckDbType {
  readonly id: number;
  readonly known: boolean;
  readonly name: string;
  readonly precision: number | undefined;
  readonly scale: number | undefined;
  /** VARIANT anywhere inside: DuckDB cannot export it. */
  readonly hasVariant: boolean;
}

/** Describes a logical type and leaves its ownership with the caller; address 0 is a type nobody could infer. */
export function describeType(lib: LibDuckDb, type: Address): DuckDbType {
  const id = type === 0 ? 0 : lib.typeId(type);
  const name = NAMES[id];
  if (name === undefined) {
    return { id, known: false, name: 'VARCHAR', precision: undefined, scale: undefined, hasVariant: false };
  }
  const decimal = id === DUCKDB_TYPE.decimal;
  const integerDigits = INTEGER_DIGITS[id];
  return {
    id,
    known: true,
    name: lib.typeAlias(type) ?? name,
    precision: decimal ? lib.decimalWidth(type) : integerDigits,
    scale: decimal ? lib.decimalScale(type) : integerDigits && 0,
    hasVariant: containsVariant(lib, type, id),
  };
}

function containsVariant(lib: LibDuckDb, type: Address, id: number): boolean {
  if (id === DUCKDB_TYPE.variant) {
    return true;
  }
  return childTypes(lib, type, id).some((child) => {
    const handle = nativeHandle(child);
    try {
      return containsVariant(lib, child, lib.typeId(child));
    } finally {
      lib.destroyType(handle.holder);
    }
  });
}

/** Child types; each is a handle of its own which the caller destroys. */
export function childTypes(lib: LibDuckDb, type: Address, id: number): Address[] {
  switch (id) {
    case DUCKDB_TYPE.list:
      return [lib.listChild(type)];
    case DUCKDB_TYPE.array:
      return [lib.arrayChild(type)];
    case DUCKDB_TYPE.map:
      return [lib.mapKey(type), lib.mapValue(type)];
    case DUCKDB_TYPE.struct:
      return Array.from({ length: lib.structChildCount(type) }, (_, i) => lib.structChild(type, i));
    case DUCKDB_TYPE.union:
      return Array.from({ length: lib.unionMemberCount(type) }, (_, i) => lib.unionMember(type, i));
    default:
      return [];
  }
}

/** Everything of a type that decides how its values are kept and what clients are told of it, as a text to compare. */
export function typeText(lib: LibDuckDb, type: Address): string {
  const id = lib.typeId(type);
  const digits = id === DUCKDB_TYPE.decimal ? `${lib.decimalWidth(type)}.${lib.decimalScale(type)}` : '';
  const children = childTypes(lib, type, id).map((child) => {
    const handle = nativeHandle(child);
    try {
      return typeText(lib, child);
    } finally {
      lib.destroyType(handle.holder);
    }
  });
  return `${id}${digits}${JSON.stringify(lib.typeAlias(type) ?? '')}[${children.join()}]`;
}
