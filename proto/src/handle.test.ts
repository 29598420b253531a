import { randomBytes } from 'node:crypto';
import t from 'tap';
import { openHandle, sealHandle, workerIdOfHandle } from './handle.ts';
import { newId } from './ids.ts';
import { HANDLE_MAX_BYTES } from './limits.ts';

const key = randomBytes(32);
const workerId = newId('wkr');
const plaintext = Buffer.from('SELECT 42');

t.test('what one worker seals it can open, and anyone can route', async (t) => {
  for (const content of [plaintext, Buffer.alloc(0), randomBytes(100_000)]) {
    const handle = sealHandle(key, workerId, content);
    t.equal(handle.length, 45 + content.length);
    t.equal(workerIdOfHandle(handle), workerId);
    t.ok(openHandle(key, workerId, handle).equals(content));
  }
  t.notOk(sealHandle(key, workerId, plaintext).includes(plaintext), 'the content is not readable');
  t.notOk(sealHandle(key, workerId, plaintext).equals(sealHandle(key, workerId, plaintext)), 'a new nonce each time');
});

t.test('another worker cannot use it', async (t) => {
  const handle = sealHandle(key, workerId, plaintext);
  t.throws(() => openHandle(key, newId('wkr'), handle), { code: 'not_found' });
});

t.test('a change of any one bit is noticed', async (t) => {
  const handle = sealHandle(key, workerId, plaintext);
  for (let bit = 0; bit < handle.length * 8; bit += 1) {
    const changed = Buffer.from(handle);
    changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
    const inWorkerId = bit >= 8 && bit < 17 * 8;
    if (!t.throws(() => openHandle(key, workerId, changed), { code: inWorkerId ? 'not_found' : 'invalid_argument' })) {
      return;
    }
  }
});

t.test('a handle moved to another worker that holds the same key stays closed', async (t) => {
  const other = newId('wkr');
  const moved = Buffer.concat([sealHandle(key, other, plaintext).subarray(0, 17), sealHandle(key, workerId, plaintext).subarray(17)]);
  t.throws(() => openHandle(key, other, moved), { code: 'invalid_argument' });
});

t.test('cut, extended, empty and huge handles are refused', async (t) => {
  const handle = sealHandle(key, workerId, plaintext);
  for (let length = 0; length < handle.length; length += 1) {
    t.throws(() => openHandle(key, workerId, handle.subarray(0, length)), { code: 'invalid_argument' });
  }
  t.throws(() => openHandle(key, workerId, Buffer.concat([handle, Buffer.of(0)])), { code: 'invalid_argument' });
  t.throws(() => openHandle(randomBytes(32), workerId, handle), { code: 'invalid_argument' });
  t.equal(workerIdOfHandle(Buffer.alloc(0)), undefined);
  t.equal(workerIdOfHandle(handle.subarray(0, 44)), undefined);
  t.equal(workerIdOfHandle(Buffer.concat([Buffer.of(2), handle.subarray(1)])), undefined);
  const huge = Buffer.concat([handle, Buffer.alloc(HANDLE_MAX_BYTES)]);
  t.equal(workerIdOfHandle(huge), undefined);
  t.throws(() => openHandle(key, workerId, huge), { code: 'invalid_argument' });
  t.throws(() => sealHandle(key, workerId, Buffer.alloc(HANDLE_MAX_BYTES)), { code: 'resource_exhausted' });
  t.throws(() => sealHandle(randomBytes(16), workerId, plaintext), { code: 'internal' });
});
