import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import t from 'tap';
import { stallsDuring } from './stall.ts';

const PRELOAD = new URL('./preload.ts', import.meta.url).href;
// Stands still for 200 ms when it is told to.
const PROGRAM = `process.stdin.on('data', () => { const end = performance.now() + 200; while (performance.now() < end); console.log('moved'); });
console.log('up');`;

t.test('the longest stall of another process', { skip: process.platform === 'win32' }, async (t) => {
  const directory = t.testdir();
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', `--import=${PRELOAD}`, '-e', PROGRAM], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, BENCH_STALL_DIRECTORY: directory },
  });
  t.teardown(() => child.kill('SIGKILL'));
  const answer = (): Promise<unknown> => once(child.stdout as Readable, 'data');
  await answer();
  const standStill = async (): Promise<void> => {
    const moved = answer();
    child.stdin?.write('now');
    await moved;
  };
  const pid = child.pid ?? 0;
  const [stall] = await stallsDuring(directory, [pid], standStill);
  t.ok((stall?.maxMs ?? 0) >= 190, `${stall?.maxMs} ms`);
  const [second] = await stallsDuring(directory, [pid], standStill);
  t.ok((second?.maxMs ?? 0) >= 190, 'it can be watched again');
});
