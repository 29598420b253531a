/** Arrow bitmaps: least significant bit first. Bits beyond the last row are always left zero. */

/** Sets `count` bits of `target` from bit `at`. */
export function setBits(target: Uint8Array, at: number, count: number): void {
  const end = at + count;
  let bit = at;
  for (; bit < end && (bit & 7) !== 0; bit++) {
    target[bit >> 3] = (target[bit >> 3] ?? 0) | (1 << (bit & 7));
  }
  const wholeBytes = (end - bit) >> 3;
  if (wholeBytes > 0) {
    target.fill(0xff, bit >> 3, (bit >> 3) + wholeBytes);
  }
  for (bit += wholeBytes * 8; bit < end; bit++) {
    target[bit >> 3] = (target[bit >> 3] ?? 0) | (1 << (bit & 7));
  }
}

/** Copies `count` bits into zeroed memory. */
export function copyBits(source: Uint8Array, from: number, target: Uint8Array, at: number, count: number): void {
  let done = 0;
  if ((from & 7) === 0 && (at & 7) === 0) {
    const bytes = count >> 3;
    target.set(source.subarray(from >> 3, (from >> 3) + bytes), at >> 3);
    done = bytes * 8;
  }
  for (; done < count; done++) {
    if (isSet(source, from + done)) {
      target[(at + done) >> 3] = (target[(at + done) >> 3] ?? 0) | (1 << ((at + done) & 7));
    }
  }
}

export function isSet(bitmap: Uint8Array, bit: number): boolean {
  return (((bitmap[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1;
}

/** Zero bits among `count` from bit `from`. */
export function countZeros(bitmap: Uint8Array, from: number, count: number): number {
  const end = from + count;
  let [bit, ones] = [from, 0];
  for (; bit < end && (bit & 7) !== 0; bit++) {
    ones += isSet(bitmap, bit) ? 1 : 0;
  }
  for (; bit + 8 <= end; bit += 8) {
    ones += ONES[bitmap[bit >> 3] ?? 0] ?? 0;
  }
  for (; bit < end; bit++) {
    ones += isSet(bitmap, bit) ? 1 : 0;
  }
  return count - ones;
}

/** Bits set in each byte. */
const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll('0', '').length);

/** Bits set in both; undefined stands for "all set". */
export function intersection(a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array | undefined {
  if (a === undefined || b === undefined) {
    return a ?? b;
  }
  return a.map((byte, i) => byte & (b[i] ?? 0));
}

/** Each bit repeated `times` times. */
export function repeatBits(bitmap: Uint8Array, count: number, times: number): Uint8Array {
  const repeated = new Uint8Array((count * times + 7) >> 3);
  for (let bit = 0; bit < count; bit++) {
    if (isSet(bitmap, bit)) {
      setBits(repeated, bit * times, times);
    }
  }
  return repeated;
}

/** Zeroes the slots of `width` bytes whose bit is not set. `memory` holds exactly `count` slots. */
export function zeroUnset(memory: Uint8Array, width: number, bitmap: Uint8Array, count: number): void {
  for (let byte = 0; byte * 8 < count; byte++) {
    if (bitmap[byte] === 0xff) {
      continue;
    }
    const end = Math.min(count, byte * 8 + 8);
    for (let slot = byte * 8; slot < end; slot++) {
      if (isSet(bitmap, slot)) {
        continue;
      }
      for (let i = slot * width; i < (slot + 1) * width; i++) {
        memory[i] = 0;
      }
    }
  }
}
