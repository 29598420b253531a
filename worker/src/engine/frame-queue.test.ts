import t from 'tap';
import type { ResultFrame } from './engine.ts';
import { FrameQueue } from './frame-queue.ts';

function frame(rows: number, released: number[] = []): ResultFrame {
  return { bytes: Buffer.alloc(0), rows, release: () => void released.push(rows) };
}

t.test('frames come in order, whether they or their readers are first', async (t) => {
  const queue = new FrameQueue();
  queue.push(frame(1));
  const [first, second, third] = [queue.next(), queue.next(), queue.next()];
  t.equal(queue.ahead, -2);
  queue.push(frame(2));
  queue.end({ kind: 'ended' });
  t.equal((await first)?.rows, 1);
  t.equal((await second)?.rows, 2);
  t.equal(await third, undefined);
  t.equal(await queue.next(), undefined, 'the end stays the end');
});

t.test('what was made before a failure comes before it', async (t) => {
  const queue = new FrameQueue();
  queue.push(frame(1));
  queue.end({ kind: 'failed', error: new Error('first') });
  queue.end({ kind: 'ended' });
  t.equal((await queue.next())?.rows, 1);
  await t.rejects(queue.next(), { message: 'first' });
  await t.rejects(queue.next(), { message: 'first' }, 'a failure is never forgotten');
});

t.test('what nobody reads is released', (t) => {
  const released: number[] = [];
  const queue = new FrameQueue();
  queue.push(frame(1, released));
  queue.push(frame(2, released));
  queue.drop();
  t.same(released, [1, 2]);
  t.end();
});
