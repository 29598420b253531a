import { isAscii, isUtf8 } from 'node:buffer';
import type { StatusError } from '@jetbridge/proto/status-error';
import { malformed } from './import-error.ts';
import type { FixedValues } from './import-type.ts';

const TWO_32 = 2 ** 32;

/** Refuses values of a fixed width that DuckDB would take and then misread. NULLs must have been zeroed. */
export function checkFixed(values: FixedValues, bytes: Uint8Array): void {
  switch (values.kind) {
    case 'int32':
      checkInt32(words32(bytes), values.min, values.max);
      break;
    case 'int64':
      checkInt64(words32(bytes), values.min, values.max);
      break;
    case 'days':
      // The two ends of the range are infinity and its negative; below the latter is nothing.
      checkInt32(words32(bytes), -(2 ** 31 - 1), 2 ** 31 - 1);
      break;
    case 'decimal':
      checkDecimals(words32(bytes), values.words, values.precision);
      break;
    default:
      break;
  }
}

/** The bytes as words; they must begin at a multiple of four. */
export function words32(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
}

function checkInt32(values: Int32Array, min: number, max: number): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value < min || value > max) {
      throw outOfRange();
    }
  }
}

// Near the ends of 64 bits a number is some hundred units off, which nothing here depends on.
function checkInt64(words: Int32Array, min: number, max: number): void {
  for (let i = 0; i < words.length; i += 2) {
    const [low, high] = [words[i] as number, words[i + 1] as number];
    const value = high * TWO_32 + (low >>> 0);
    const negativeInfinity = high === -(2 ** 31) && low === 1;
    if ((value < min || value > max) && !(negativeInfinity && min < 0)) {
      throw outOfRange();
    }
  }
}

function checkDecimals(words: Int32Array, width: number, precision: number): void {
  // Below this a number is exact enough to decide; a value beyond it is looked at as an integer.
  const clear = 10 ** precision * (1 - 2 ** -48);
  for (let i = 0; i < words.length; i += width) {
    let value = words[i + width - 1] as number;
    for (let word = i + width - 2; word >= i; word--) {
      value = value * TWO_32 + ((words[word] as number) >>> 0);
    }
    if (!(Math.abs(value) < clear) && !fits(words.subarray(i, i + width), precision)) {
      throw outOfRange();
    }
  }
}

function fits(words: Int32Array, precision: number): boolean {
  const unscaled = words.reduceRight((sum, word, i) => (sum << 32n) | BigInt(i === words.length - 1 ? word : word >>> 0), 0n);
  return (unscaled < 0n ? -unscaled : unscaled) < 10n ** BigInt(precision);
}

const DAY_MS = 86_400_000n;

/** Days of milliseconds, rounded down, in memory of their own. */
export function daysOf(milliseconds: Uint8Array, paddingBytes: number): Uint8Array {
  const source = new BigInt64Array(milliseconds.buffer, milliseconds.byteOffset, milliseconds.length >> 3);
  const memory = new ArrayBuffer(source.length * 4 + paddingBytes);
  const days = new Int32Array(memory, 0, source.length);
  for (let i = 0; i < source.length; i++) {
    const value = source[i] as bigint;
    const day = Number(value < 0n ? (value - DAY_MS + 1n) / DAY_MS : value / DAY_MS);
    if (day < -(2 ** 31 - 1) || day > 2 ** 31 - 1) {
      throw outOfRange();
    }
    days[i] = day;
  }
  return new Uint8Array(memory, 0, source.length * 4);
}

/** Checks that offsets never go down or leave `end`; answers the first and the last. */
export function checkOffsets(offsets: Uint8Array, offsetBytes: 4 | 8, end: number): { readonly first: number; readonly last: number } {
  const words = words32(offsets);
  const step = offsetBytes / 4;
  const first = words[0] as number;
  let last = first;
  for (let i = 0; i < words.length; i += step) {
    const offset = words[i] as number;
    if (offset < last || (step === 2 && words[i + 1] !== 0)) {
      throw malformed('offsets go down or are too large');
    }
    last = offset;
  }
  if (first < 0 || last > end) {
    throw malformed('an offset lies outside of its values');
  }
  return { first, last };
}

/** Checks that what lies between each two offsets is UTF-8. */
export function checkTexts(offsets: Uint8Array, offsetBytes: 4 | 8, bytes: Uint8Array, first: number, last: number): void {
  const region = bytes.subarray(first, last);
  if (isAscii(region)) {
    return;
  }
  if (!isUtf8(region)) {
    throw notText();
  }
  const words = words32(offsets);
  for (let i = 0; i < words.length; i += offsetBytes / 4) {
    const offset = words[i] as number;
    if (offset < last && ((bytes[offset] as number) & 0xc0) === 0x80) {
      throw notText();
    }
  }
}

const VIEW_BYTES = 16;
const INLINE_BYTES = 12;

/** Checks each view; answers how many bytes they show together. */
export function checkViews(views: Uint8Array, buffers: readonly Uint8Array[], text: boolean): number {
  const words = words32(views);
  let total = 0;
  for (let i = 0; i < words.length; i += 4) {
    const length = words[i] as number;
    const at = i * 4;
    const bytes =
      length <= INLINE_BYTES
        ? views.subarray(at + 4, at + 4 + Math.max(0, length))
        : (buffers[words[i + 2] as number] ?? NO_BYTES).subarray(Math.max(0, words[i + 3] as number), (words[i + 3] as number) + length);
    if (length < 0 || bytes.length !== length || (length > INLINE_BYTES && (words[i + 3] as number) < 0)) {
      throw malformed('a view leaves its buffer');
    }
    if (text && !isUtf8(bytes)) {
      throw notText();
    }
    total += length;
  }
  return total;
}

const NO_BYTES = new Uint8Array(0);

/** Checks that each index names one of `count` values. NULLs must have been zeroed; without any value all are NULL. */
export function checkIndices(bytes: Uint8Array, width: number, signed: boolean, count: number): void {
  const indices = indicesOf(bytes, width);
  const step = width === VIEW_BYTES / 2 ? 2 : 1;
  for (let i = 0; i < indices.length; i += step) {
    const index = indices[i] as number;
    if (index >= count || (signed && index >= 2 ** (width * 8 - 1)) || (step === 2 && indices[i + 1] !== 0)) {
      throw malformed('an index points outside of its dictionary');
    }
  }
}

/** Indices as unsigned numbers; those of 64 bits as pairs of words. */
export function indicesOf(bytes: Uint8Array, width: number): Uint8Array | Uint16Array | Uint32Array {
  switch (width) {
    case 1:
      return bytes;
    case 2:
      return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
    default:
      return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  }
}

function outOfRange(): StatusError {
  return malformed('a value is outside of the range of its type');
}

function notText(): StatusError {
  return malformed('a text is not UTF-8');
}
