import t from 'tap';
import { aborted, runTogether } from './run.ts';

t.test('runs until the signal', async (t) => {
  const stop = new AbortController();
  const ended: string[] = [];
  const task = (name: string) => async (signal: AbortSignal) => {
    await aborted(signal);
    ended.push(name);
  };
  const running = runTogether([task('a'), task('b'), async () => undefined], stop.signal);
  stop.abort();
  await running;
  t.same(ended, ['a', 'b']);
});

t.test('the first failure stops the others and is thrown after they have stopped', async (t) => {
  let stopped = false;
  const running = runTogether(
    [
      async (signal) => {
        await aborted(signal);
        stopped = true;
      },
      () => Promise.reject(new Error('first')),
    ],
    new AbortController().signal,
  );
  await t.rejects(running, { message: 'first' });
  t.equal(stopped, true);
});
