import { EventEmitter, once } from 'node:events';
import t from 'tap';
import { pause, runAll, runUntilSignalled, stopped } from './run.ts';

t.test('the first failure stops all and is the one reported', async (t) => {
  const ended: string[] = [];
  const waits = async (signal: AbortSignal): Promise<void> => {
    await stopped(signal);
    ended.push('waits');
    throw new Error('second');
  };
  await t.rejects(runAll(new AbortController().signal, [waits, () => Promise.reject(new Error('first'))]), { message: 'first' });
  t.same(ended, ['waits']);
});

t.test('a task that ends early stops the others', async (t) => {
  await runAll(new AbortController().signal, [stopped, () => Promise.resolve()]);
  t.pass('all ended');
});

t.test('one signal drains, a second exits at once', async (t) => {
  const exits: number[] = [];
  const signals = Object.assign(new EventEmitter(), { exit: (code: number) => void exits.push(code) });
  const draining = Promise.withResolvers<void>();
  const running = runUntilSignalled(async (signal) => {
    await stopped(signal);
    await draining.promise;
  }, signals);
  signals.emit('SIGTERM');
  t.same(exits, []);
  signals.emit('SIGINT');
  t.same(exits, [130]);
  draining.resolve();
  await running;
  t.equal(signals.listenerCount('SIGTERM'), 0);
});

t.test('a pause ends with the signal and leaves nothing behind', async () => {
  const stop = new AbortController();
  const long = pause(60_000, stop.signal);
  stop.abort();
  await long;
  await pause(60_000, stop.signal);
  const other = new AbortController();
  const aborted = once(other.signal, 'abort');
  await pause(0, other.signal);
  other.abort();
  await aborted;
});
