import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { findOwner, processBirth, takeOwnerLock } from './owner-lock.ts';

t.test('one owner at a time', async (t) => {
  const file = join(t.testdir(), 'data', 'run', 'lock');
  const lock = await takeOwnerLock(file);
  t.strictSame((await findOwner(file))?.pid, process.pid);
  await t.rejects(takeOwnerLock(file), {
    name: 'CommandError',
    message: new RegExp(`the data directory .*data is in use by another .jetbridge start. \\(pid ${process.pid}\\)`),
  });
  await lock.release();
  t.equal(await findOwner(file), undefined);
  await (await takeOwnerLock(file)).release();
});

t.test('the lock of a dead process is taken over, also when its pid lives again', async (t) => {
  const file = join(t.testdir(), 'run', 'lock');
  const dead = spawn(process.execPath, ['-e', '']);
  await once(dead, 'exit');
  await takeOwnerLock(file, dead.pid, async (pid) => (pid === process.pid ? processBirth(pid) : 'long ago'));
  await takeOwnerLock(file);
  t.equal((await findOwner(file))?.pid, process.pid);
  await writeFile(file, JSON.stringify({ pid: process.pid, birth: 'another boot' }));
  await takeOwnerLock(file);
  await writeFile(file, 'half written');
  await takeOwnerLock(file);
  t.match(JSON.parse(await readFile(file, 'utf8')), { pid: process.pid });
});

t.test('of many that find a stale lock, exactly one wins', async (t) => {
  const file = join(t.testdir({ run: { lock: JSON.stringify({ pid: 1, birth: 'gone' }) } }), 'run', 'lock');
  const births: Readonly<Record<number, string>> = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [1000 + i, `born ${i}`]));
  const birthOf = async (pid: number): Promise<string | undefined> => births[pid];
  const outcomes = await Promise.allSettled(Object.keys(births).map((pid) => takeOwnerLock(file, Number(pid), birthOf)));
  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  t.strictSame(await readdir(join(file, '..')), ['lock']);
});

t.test('a released lock that another took meanwhile stays', async (t) => {
  const file = join(t.testdir(), 'run', 'lock');
  const lock = await takeOwnerLock(file);
  await writeFile(file, JSON.stringify({ pid: 1, birth: 'other' }));
  await lock.release();
  t.match(await readFile(file, 'utf8'), 'other');
});
