import type { ColumnLayout } from './arrow-c-schema.ts';
import { childTypes, DUCKDB_TYPE } from './duckdb-types.ts';
import type { Address, LibDuckDb } from './libduckdb.ts';
import { nativeHandle } from './native-memory.ts';

/** How DuckDB keeps a column that can be read without an export; it differs from the column's Arrow layout where it says so. */
export type VectorLayout =
  /** Values of a fixed width, the same as in Arrow. */
  | { readonly kind: 'plain' }
  /** One byte per value. */
  | { readonly kind: 'booleans' }
  /** Integers narrower than Arrow's 16 bytes. */
  | { readonly kind: 'decimals'; readonly width: 2 | 4 | 8 }
  /** 16 bytes per value: the length, and the text itself or its address. */
  | { readonly kind: 'strings' }
  /** 16 bytes per value: offset and length in the child. */
  | { readonly kind: 'list'; readonly child: VectorLayout }
  | { readonly kind: 'struct'; readonly children: readonly VectorLayout[] }
  | { readonly kind: 'array'; readonly size: number; readonly child: VectorLayout };

const PLAIN: ReadonlySet<number> = new Set([
  DUCKDB_TYPE.tinyint,
  DUCKDB_TYPE.smallint,
  DUCKDB_TYPE.integer,
  DUCKDB_TYPE.bigint,
  DUCKDB_TYPE.utinyint,
  DUCKDB_TYPE.usmallint,
  DUCKDB_TYPE.uinteger,
  DUCKDB_TYPE.ubigint,
  DUCKDB_TYPE.float,
  DUCKDB_TYPE.double,
  DUCKDB_TYPE.timestamp,
  DUCKDB_TYPE.date,
  DUCKDB_TYPE.time,
  DUCKDB_TYPE.hugeint,
  DUCKDB_TYPE.timestampS,
  DUCKDB_TYPE.timestampMs,
  DUCKDB_TYPE.timestampNs,
  DUCKDB_TYPE.timestampTz,
  DUCKDB_TYPE.timeNs,
]);

/**
 * The layout of a type's vectors, or undefined where only DuckDB's own export converts it: types whose values Arrow writes differently, and
 * types with a name of their own, which an extension may have given an Arrow form of its own.
 */
export function vectorLayoutOf(lib: LibDuckDb, type: Address, layout: ColumnLayout): VectorLayout | undefined {
  const id = lib.typeId(type);
  const alias = lib.typeAlias(type);
  if (alias !== null && !(alias === 'JSON' && id === DUCKDB_TYPE.varchar)) {
    return undefined;
  }
  if (PLAIN.has(id)) {
    return layout.kind === 'fixed' ? { kind: 'plain' } : undefined;
  }
  switch (id) {
    case DUCKDB_TYPE.boolean:
      return layout.kind === 'bits' ? { kind: 'booleans' } : undefined;
    case DUCKDB_TYPE.varchar:
    case DUCKDB_TYPE.blob:
      return layout.kind === 'bytes' ? { kind: 'strings' } : undefined;
    case DUCKDB_TYPE.decimal:
      return layout.kind === 'fixed' && layout.width === 16 ? decimalLayout(lib.decimalWidth(type)) : undefined;
    default:
      return nestedLayout(lib, type, id, layout);
  }
}

/** DuckDB keeps a decimal in the smallest integer that holds its digits. */
function decimalLayout(digits: number): VectorLayout {
  if (digits > 18) {
    return { kind: 'plain' };
  }
  if (digits > 9) {
    return { kind: 'decimals', width: 8 };
  }
  return { kind: 'decimals', width: digits > 4 ? 4 : 2 };
}

function nestedLayout(lib: LibDuckDb, type: Address, id: number, layout: ColumnLayout): VectorLayout | undefined {
  if (id === DUCKDB_TYPE.list && layout.kind === 'list') {
    const [child] = childLayouts(lib, type, id, [layout.child]) ?? [];
    return child && { kind: 'list', child };
  }
  if (id === DUCKDB_TYPE.map && layout.kind === 'list' && layout.child.kind === 'struct') {
    const children = childLayouts(lib, type, id, layout.child.children);
    return children && { kind: 'list', child: { kind: 'struct', children } };
  }
  if (id === DUCKDB_TYPE.struct && layout.kind === 'struct') {
    const children = childLayouts(lib, type, id, layout.children);
    return children && { kind: 'struct', children };
  }
  if (id === DUCKDB_TYPE.array && layout.kind === 'fixed_list') {
    const [child] = childLayouts(lib, type, id, [layout.child]) ?? [];
    return child && { kind: 'array', size: layout.size, child };
  }
  return undefined;
}

function childLayouts(lib: LibDuckDb, type: Address, id: number, layouts: readonly ColumnLayout[]): VectorLayout[] | undefined {
  const types = childTypes(lib, type, id);
  try {
    const found = types.map((child, i) => {
      const layout = layouts[i];
      return layout && vectorLayoutOf(lib, child, layout);
    });
    return found.length === layouts.length && found.every((child) => child !== undefined) ? (found as VectorLayout[]) : undefined;
  } finally {
    for (const child of types) {
      lib.destroyType(nativeHandle(child).holder);
    }
  }
}
