import t from 'tap';
import { ConnectionCalls } from './connection-calls.ts';

t.test('calls take turns, and a failure does not stop the next', async (t) => {
  const calls = new ConnectionCalls(() => undefined);
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = calls.run(async () => {
    await gate.promise;
    order.push('first');
    throw new Error('no');
  });
  const second = calls.run(async () => order.push('second'));
  const last = calls.finish(() => order.push('last'));
  gate.resolve();
  await t.rejects(first, { message: 'no' });
  await Promise.all([second, last]);
  t.same(order, ['first', 'second', 'last']);
});

t.test('an interruption is repeated until what it meant has settled, and not after', async (t) => {
  let told = 0;
  const heard = Promise.withResolvers<void>();
  const calls = new ConnectionCalls(() => {
    told++;
    // The engine forgets the first: it had not begun yet.
    if (told === 3) {
      heard.resolve();
    }
  });
  const begun = Promise.withResolvers<void>();
  const running = calls.run(async (wasInterrupted) => {
    begun.resolve();
    await heard.promise;
    return wasInterrupted();
  });
  const waiting = calls.run(async () => 'never');
  const freeing = calls.finish(() => 'freed');
  await begun.promise;
  calls.interrupt();
  t.equal(await running, true);
  await t.rejects(waiting, { code: 'cancelled' });
  t.equal(await freeing, 'freed');
  const after = told;
  t.equal(await calls.run(async (wasInterrupted) => wasInterrupted()), false);
  t.equal(told, after);
});

t.test('an interruption of nothing is told once and forgotten', async (t) => {
  let told = 0;
  const calls = new ConnectionCalls(() => {
    told++;
  });
  calls.interrupt();
  t.equal(await calls.run(async (wasInterrupted) => wasInterrupted()), false);
  t.equal(told, 1);
});
