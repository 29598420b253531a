import { copyBits } from './bitmap.ts';
import type { Address, LibDuckDb } from './libduckdb.ts';

/** Values converted in one go: one vector's worth. */
const BLOCK = 2048;

/** Converts vectors of values that DuckDB keeps in another width than Arrow. */
export class VectorValueWriter {
  readonly #lib: LibDuckDb;
  readonly #memory = new ArrayBuffer(BLOCK * 8);
  readonly #bytes = new Uint8Array(this.#memory);
  readonly #int16 = new Int16Array(this.#memory);
  readonly #int32 = new Int32Array(this.#memory);
  readonly #bits = new Uint8Array(BLOCK / 8);
  readonly #address: Address;

  constructor(lib: LibDuckDb) {
    this.#lib = lib;
    this.#address = lib.addressOf(this.#bytes);
  }

  /** Booleans `from`..`to`, a byte each, as bits of zeroed memory from bit `at`. */
  booleans(source: Address, from: number, to: number, target: Uint8Array, at: number): void {
    const [bytes, bits] = [this.#bytes, this.#bits];
    for (let start = from; start < to; start += BLOCK) {
      const count = Math.min(BLOCK, to - start);
      this.#lib.copy(this.#address, source + start, count);
      bytes.fill(0, count, (count + 7) & ~7);
      for (let i = 0; i < count; i += 8) {
        let byte = 0;
        for (let bit = 0; bit < 8; bit++) {
          byte |= ((bytes[i + bit] as number) & 1) << bit;
        }
        bits[i >> 3] = byte;
      }
      copyBits(bits, 0, target, at + start - from, count);
    }
  }

  /** Integers `from`..`to` of `width` bytes, as 16 bytes each from value `at`. */
  decimals(source: Address, width: 2 | 4 | 8, from: number, to: number, target: Int32Array, at: number): void {
    for (let start = from; start < to; start += BLOCK) {
      const count = Math.min(BLOCK, to - start);
      this.#lib.copy(this.#address, source + start * width, count * width);
      const first = (at + start - from) * 4;
      if (width === 8) {
        widenLong(this.#int32, count, target, first);
      } else {
        widenShort(width === 4 ? this.#int32 : this.#int16, count, target, first);
      }
    }
  }
}

function widenLong(values: Int32Array, count: number, target: Int32Array, first: number): void {
  for (let i = 0, out = first; i < count * 2; i += 2, out += 4) {
    const high = values[i + 1] as number;
    const sign = high >> 31;
    target[out] = values[i] as number;
    target[out + 1] = high;
    target[out + 2] = sign;
    target[out + 3] = sign;
  }
}

function widenShort(values: Int32Array | Int16Array, count: number, target: Int32Array, first: number): void {
  for (let i = 0, out = first; i < count; i++, out += 4) {
    const low = values[i] as number;
    const sign = low >> 31;
    target[out] = low;
    target[out + 1] = sign;
    target[out + 2] = sign;
    target[out + 3] = sign;
  }
}
