import t from 'tap';
import type { JobSource } from './encode-messages.ts';
import { EncodeThreads } from './encode-threads.ts';
import { FrameBuffers } from './frame-buffers.ts';

const SOURCE: JobSource = { kind: 'statement', statement: 0, streaming: true, shape: undefined };

function order(credits: number, source: JobSource = SOURCE): Parameters<EncodeThreads['run']>[0] {
  return { source, columns: [], credits, onFrame: () => undefined };
}

t.test('a thread that dies takes its job with it and no other', async (t) => {
  const threads = new EncodeThreads(1, new FrameBuffers(), new URL('./encode-thread.fixture.ts', import.meta.url));
  t.after(() => threads.close());
  await threads.warm();
  const [doomed, next, another] = [threads.run(order(0)), threads.run(order(1)), threads.run(order(1))];
  await t.rejects(doomed.executed, { code: 'internal' });
  t.match(await doomed.done, { kind: 'refused', code: 'internal' });
  t.match(await next.done, { kind: 'ended' });
  t.match(await another.done, { kind: 'ended' });
  t.match(await threads.run(order(1)).done, { kind: 'ended' }, 'and later ones get a new thread');
});

t.test('a job that fails leaves its thread as it was', async (t) => {
  const threads = new EncodeThreads(1, new FrameBuffers());
  t.after(() => threads.close());
  const impossible = { kind: 'result', words: undefined, left: { chunks: [], ending: undefined } } as unknown as JobSource;
  t.match(await threads.run(order(1, impossible)).done, { kind: 'refused', code: 'internal' });
  t.match(await threads.run(order(1, impossible)).done, { kind: 'refused', code: 'internal' });
});

t.test('closed threads take no jobs and leave none behind', async (t) => {
  const threads = new EncodeThreads(1, new FrameBuffers(), new URL('./encode-thread.fixture.ts', import.meta.url));
  const waiting = [threads.run(order(1)), threads.run(order(1))];
  await threads.close();
  for (const job of [...waiting, threads.run(order(1))]) {
    t.match(await job.done, { kind: 'refused', code: 'internal' });
  }
});
