import { randomBytes } from 'node:crypto';
import t from 'tap';
import { idBytes, idOfBytes, isId, newId } from './ids.ts';

t.test('an id has its prefix and 26 digits, and gives its bytes back', async (t) => {
  for (let round = 0; round < 500; round += 1) {
    const bytes = randomBytes(16);
    const id = idOfBytes('wkr', bytes);
    t.match(id, /^wkr_[0-9a-hjkmnp-tv-z]{26}$/);
    t.ok(isId('wkr', id));
    t.ok(idBytes(id).equals(bytes));
  }
  t.equal(idOfBytes('tun', Buffer.alloc(16)), `tun_${'0'.repeat(26)}`);
  t.equal(idOfBytes('tun', Buffer.alloc(16, 0xff)), `tun_${'z'.repeat(25)}w`);
});

t.test('the order of ids is the order of their bytes', async (t) => {
  const bytes = Array.from({ length: 50 }, () => randomBytes(16));
  const byBytes = [...bytes].sort(Buffer.compare).map((value) => idOfBytes('ses', value));
  const byId = bytes.map((value) => idOfBytes('ses', value)).sort();
  t.same(byId, byBytes);
});

t.test('randomness is a parameter', async (t) => {
  t.equal(
    newId('gtw', (size) => Buffer.alloc(size, 1)),
    idOfBytes('gtw', Buffer.alloc(16, 1)),
  );
  t.not(newId('gtw'), newId('gtw'));
});

t.test('anything else is no id', async (t) => {
  const id = newId('wkr');
  const strangers: readonly unknown[] = [
    id.toUpperCase(),
    id.slice(0, -1),
    `${id}0`,
    ` ${id}`,
    `${id}\n`,
    id.replace('wkr', 'gtw'),
    `wkr_${'0'.repeat(25)}1`,
    `wkr_${'o'.repeat(26)}`,
    `wkr_${'z'.repeat(26)}`,
    '',
    'wkr_',
    undefined,
    7,
  ];
  for (const stranger of strangers) {
    t.notOk(isId('wkr', stranger), String(stranger));
  }
  t.throws(() => idBytes('wkr_nonsense'), { code: 'invalid_argument' });
  t.throws(() => idBytes(''), { code: 'invalid_argument' });
  t.throws(() => idOfBytes('wkr', Buffer.alloc(15)), { code: 'internal' });
});
