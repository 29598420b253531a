import type { Address, LibDuckDb } from './libduckdb.ts';

/** A native out-parameter for one handle, and the holder DuckDB's destroy functions want: they free what it points to and clear it. */
export class NativeHandle {
  // An ArrayBuffer of its own never moves; a small typed array would live inside V8's heap until it is first exposed.
  readonly holder = new BigUint64Array(new ArrayBuffer(8));

  get address(): Address {
    return Number(this.holder[0]);
  }
}

/** Addresses as the array of pointers that a function takes. */
export function addressList(addresses: readonly Address[]): BigUint64Array {
  const list = new BigUint64Array(new ArrayBuffer(addresses.length * 8));
  list.set(addresses.map(BigInt));
  return list;
}

/** Wraps an address that a function returned, so that it can be destroyed. */
export function nativeHandle(address: Address): NativeHandle {
  const handle = new NativeHandle();
  handle.holder[0] = BigInt(address);
  return handle;
}

const SCRATCH_BYTES = 4096;

/** Reads memory that DuckDB owns, always by copying it out: no view of foreign memory outlives a call. */
export class NativeReader {
  readonly #lib: LibDuckDb;
  readonly #scratch = new DataView(new ArrayBuffer(SCRATCH_BYTES));
  readonly #scratchText = Buffer.from(this.#scratch.buffer);
  readonly #scratchAddress: Address;

  constructor(lib: LibDuckDb) {
    this.#lib = lib;
    this.#scratchAddress = lib.addressOf(this.#scratch);
  }

  /** A view of a copy of `bytes` (SCRATCH_BYTES at most), valid until the next call of anything here. */
  peek(source: Address, bytes: number): DataView {
    this.#lib.copy(this.#scratchAddress, source, bytes);
    return this.#scratch;
  }

  int32(source: Address): number {
    return this.peek(source, 4).getInt32(0, true);
  }

  /** A copy with memory of its own, 8-aligned. */
  copyOf(source: Address, bytes: number): Buffer {
    const target = Buffer.from(new ArrayBuffer(bytes));
    if (bytes > 0) {
      this.#lib.copy(this.#lib.addressOf(target), source, bytes);
    }
    return target;
  }

  text(source: Address): string {
    if (source === 0) {
      return '';
    }
    const bytes = this.#lib.stringLength(source);
    if (bytes > SCRATCH_BYTES) {
      return this.copyOf(source, bytes).toString('utf8');
    }
    this.#lib.copy(this.#scratchAddress, source, bytes);
    return this.#scratchText.toString('utf8', 0, bytes);
  }

  addresses(source: Address, count: number): Address[] {
    const copy = this.copyOf(source, count * 8);
    return Array.from({ length: count }, (_, i) => addressAt(new DataView(copy.buffer), i * 8));
  }
}

/** An address stored in a structure. */
export function addressAt(view: DataView, offset: number): Address {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * 4294967296;
}
