import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { takeOwnerLock } from './owner-lock.ts';

function temporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'jetbridge-lock-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const owner = { pid: process.pid, startedAt: '2026-01-02T03:04:05.678Z' };

t.test('one process has a data directory', async (t) => {
  const directory = temporaryDirectory(t);
  const lock = takeOwnerLock(directory, owner);
  t.throws(() => takeOwnerLock(directory, owner), {
    code: 'failed_precondition',
    message: new RegExp(`in use by process ${process.pid} \\(since 2026`),
  });
  lock.release();
  takeOwnerLock(directory, owner).release();
});

t.test('a live holder keeps it, a killed one does not', async (t) => {
  const directory = temporaryDirectory(t);
  const holder = fork(fileURLToPath(new URL('../testing/lock-holder.ts', import.meta.url)), [directory], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  await once(holder, 'message');
  t.throws(() => takeOwnerLock(directory, owner), { message: new RegExp(`process ${holder.pid}`) });
  holder.kill('SIGSTOP');
  t.throws(() => takeOwnerLock(directory, owner), { code: 'failed_precondition' }, 'a stopped process is alive');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  takeOwnerLock(directory, owner).release();
});
