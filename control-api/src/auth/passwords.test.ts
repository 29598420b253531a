import { randomBytes } from 'node:crypto';
import t from 'tap';
import { PASSWORD_COST } from '../limits.ts';
import { Passwords } from './passwords.ts';

t.test('a password is checked at the real cost', async (t) => {
  const passwords = new Passwords(PASSWORD_COST, randomBytes);
  const stored = await passwords.hash('pässword');
  t.match(stored, /^scrypt\$17\$8\$1\$/);
  t.ok(await passwords.verify('pa\u0308ssword', stored), 'the same letters in other bytes');
  t.notOk(await passwords.verify('password', stored));
});

t.test('without a stored hash the same work is done, and the answer is no', async (t) => {
  const cost = { log2N: 15, blockSize: 8, parallelization: 1 };
  const passwords = new Passwords(cost, randomBytes);
  const stored = await passwords.hash('password');
  const time = async (hash: string | undefined): Promise<number> => {
    const start = process.cpuUsage();
    t.notOk(await passwords.verify('wrong', hash));
    const { user, system } = process.cpuUsage(start);
    return user + system;
  };
  await time(stored);
  const [known, unknown] = [await time(stored), await time(undefined)];
  t.ok(unknown > known / 4, `the CPU time of an unknown name (${unknown} µs) is of the order of a known one's (${known} µs)`);
});
