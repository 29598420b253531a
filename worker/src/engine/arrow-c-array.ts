import { StatusError } from '@jetbridge/proto/status-error';
import type { ColumnLayout } from './arrow-c-schema.ts';
import type { Address } from './libduckdb.ts';
import { addressAt, type NativeReader } from './native-memory.ts';

/** Size of `struct ArrowArray` (Arrow C data interface) on 64-bit platforms. */
export const ARROW_ARRAY_BYTES = 80;
const RELEASE_OFFSET = 64;

/** One exported array: addresses of its buffers, valid until the root is released. */
export interface NativeArray {
  readonly length: number;
  readonly nulls: number;
  readonly validity: Address;
  readonly values: Address;
  readonly bytes: Address;
  readonly children: readonly NativeArray[];
  readonly dictionary: NativeArray | undefined;
  /** Set where the values are still as a vector of DuckDB keeps them and must be converted; `validity` is the same in both. */
  readonly vector: VectorValues | undefined;
}

/** Values that are not in Arrow's form yet. */
export type VectorValues =
  | { readonly kind: 'booleans' }
  | { readonly kind: 'decimals'; readonly width: 2 | 4 | 8 }
  /** `bytes`: those of all texts together. */
  | { readonly kind: 'strings'; readonly bytes: number }
  /** Offsets into the child, which holds the elements in order and without gaps. */
  | { readonly kind: 'list'; readonly offsets: Int32Array };

/** The columns of an exported `struct ArrowArray` whose root is a struct. */
export function readExportedArray(reader: NativeReader, root: DataView, layouts: readonly ColumnLayout[]): NativeArray[] {
  return readChildren(reader, addressAt(root, 48), layouts);
}

/** The root's release callback. */
export function releaseCallback(root: DataView): Address {
  return addressAt(root, RELEASE_OFFSET);
}

function readChildren(reader: NativeReader, pointers: Address, layouts: readonly ColumnLayout[]): NativeArray[] {
  if (layouts.length === 0) {
    return [];
  }
  return reader.addresses(pointers, layouts.length).map((address, i) => readArray(reader, address, layouts[i] as ColumnLayout));
}

function readArray(reader: NativeReader, address: Address, layout: ColumnLayout): NativeArray {
  const array = reader.peek(address, ARROW_ARRAY_BYTES);
  const [length, nulls, offset] = [addressAt(array, 0), addressAt(array, 8), addressAt(array, 16)];
  const [bufferCount, buffers, pointers, dictionary] = [
    addressAt(array, 24),
    addressAt(array, 40),
    addressAt(array, 48),
    addressAt(array, 56),
  ];
  // DuckDB exports whole arrays only; a slice would need every buffer shifted.
  if (offset !== 0) {
    throw new StatusError('internal', 'DuckDB exported a sliced Arrow array');
  }
  const found = bufferCount > 0 ? reader.peek(buffers, bufferCount * 8) : undefined;
  const [first, second, third] = [0, 1, 2].map((i) => (found && i < bufferCount ? addressAt(found, i * 8) : 0)) as [number, number, number];
  // A sparse union has no validity; its first buffer is the type ids.
  const union = layout.kind === 'sparse_union';
  return {
    length,
    nulls: union ? 0 : nulls,
    validity: union ? 0 : first,
    values: union ? first : second,
    bytes: third,
    children: readChildren(reader, pointers, childLayouts(layout)),
    dictionary: dictionary === 0 ? undefined : readArray(reader, dictionary, { kind: 'bytes' }),
    vector: undefined,
  };
}

function childLayouts(layout: ColumnLayout): readonly ColumnLayout[] {
  switch (layout.kind) {
    case 'list':
    case 'fixed_list':
      return [layout.child];
    case 'struct':
    case 'sparse_union':
      return layout.children;
    default:
      return [];
  }
}
