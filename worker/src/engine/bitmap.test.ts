import t from 'tap';
import { copyBits, countZeros, intersection, isSet, repeatBits, setBits, zeroUnset } from './bitmap.ts';

// A fixed pattern without symmetry, so that shifted or reversed copies differ.
const SOURCE = Uint8Array.from({ length: 20 }, (_, i) => (i * 73 + 41) & 255);

function bitsWhere(isWanted: (bit: number) => boolean): string {
  return Array.from({ length: 160 }, (_, bit) => (isWanted(bit) ? '1' : '0')).join('');
}

function bitsOf(bitmap: Uint8Array): string {
  return bitsWhere((bit) => isSet(bitmap, bit));
}

t.test('bits are copied and set at every alignment', async (t) => {
  for (const from of [0, 1, 7, 8, 9]) {
    for (const at of [0, 3, 8, 13]) {
      for (const count of [0, 1, 8, 17, 100]) {
        const copied = new Uint8Array(20);
        copyBits(SOURCE, from, copied, at, count);
        const filled = new Uint8Array(20);
        setBits(filled, at, count);
        const inside = (bit: number): boolean => bit >= at && bit < at + count;
        t.same(
          bitsOf(copied),
          bitsWhere((bit) => inside(bit) && isSet(SOURCE, from + bit - at)),
          `copy ${from} ${at} ${count}`,
        );
        t.same(bitsOf(filled), bitsWhere(inside), `set ${at} ${count}`);
        t.equal(countZeros(filled, at, count), 0);
        t.equal(countZeros(copied, at, count), countZeros(SOURCE, from, count));
      }
    }
  }
});

t.test('masks combine and repeat', async (t) => {
  t.same(intersection(Uint8Array.of(0b1100), Uint8Array.of(0b1010)), Uint8Array.of(0b1000));
  t.same(intersection(undefined, Uint8Array.of(1)), Uint8Array.of(1));
  t.equal(intersection(undefined, undefined), undefined);
  t.same(repeatBits(Uint8Array.of(0b101), 3, 3), Uint8Array.of(0b11000111, 1));
});

t.test('slots without their bit become zero', async (t) => {
  const memory = new Uint8Array(30).fill(9);
  zeroUnset(memory, 3, Uint8Array.of(0xff, 0b10), 10);
  t.same([...memory], [...Array.from({ length: 24 }, () => 9), 0, 0, 0, 9, 9, 9]);
});
