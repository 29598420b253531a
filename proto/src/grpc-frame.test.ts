import t from 'tap';
import { frameMessage, MessageBoundary, MessageSplitter } from './grpc-frame.ts';

const messages = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(300, 7), Buffer.alloc(70_000, 9), Buffer.alloc(0)];
const stream = Buffer.concat(messages.map((message) => frameMessage(message)));

t.test('a frame is a flag, a big-endian length and the message', async (t) => {
  t.same(frameMessage(Buffer.from('ab')), Buffer.from([0, 0, 0, 0, 2, 0x61, 0x62]));
});

for (const chunkBytes of [1, 2, 3, 5, 7, 64, 1000, 16_384, stream.length]) {
  t.test(`messages cut into chunks of ${chunkBytes} bytes come out whole`, async (t) => {
    const splitter = new MessageSplitter(100_000);
    const boundary = new MessageBoundary();
    const found: Buffer[] = [];
    let boundaries = 0;
    for (let at = 0; at < stream.length; at += chunkBytes) {
      const chunk = stream.subarray(at, at + chunkBytes);
      found.push(...splitter.push(chunk));
      boundary.push(chunk);
      if (splitter.midMessage === boundary.atBoundary) {
        t.fail(`splitter and boundary disagree at ${at}`);
      }
      boundaries += boundary.atBoundary ? 1 : 0;
    }
    t.same(found, messages);
    t.notOk(splitter.midMessage);
    t.ok(boundary.atBoundary);
    t.equal(boundaries, chunkBytes === 1 ? messages.length : boundaries);
  });
}

t.test('a cut stream is known as such', async (t) => {
  for (const length of [1, 4, 5, 7]) {
    const cut = frameMessage(Buffer.from('abc')).subarray(0, length);
    const splitter = new MessageSplitter(100);
    t.same(splitter.push(cut), []);
    t.ok(splitter.midMessage);
    const boundary = new MessageBoundary();
    boundary.push(cut);
    t.notOk(boundary.atBoundary);
  }
});

t.test('a message above the limit is refused by its prefix alone', async (t) => {
  const prefix = Buffer.from([0, 0xff, 0xff, 0xff, 0xff]);
  t.throws(() => new MessageSplitter(1000).push(prefix), { code: 'resource_exhausted' });
  t.throws(() => new MessageSplitter(2).push(frameMessage(Buffer.from('abc'))), { code: 'resource_exhausted' });
  t.same(new MessageSplitter(3).push(frameMessage(Buffer.from('abc'))), [Buffer.from('abc')]);
});

t.test('a length of 4 GiB is followed, not overflowed', async (t) => {
  const boundary = new MessageBoundary();
  boundary.push(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]));
  boundary.push(Buffer.alloc(1024));
  t.notOk(boundary.atBoundary);
});

t.test('compressed messages are refused, and told apart from lengths by the boundary', async (t) => {
  const compressed = Buffer.from([1, 0, 0, 0, 1, 0]);
  t.throws(() => new MessageSplitter(1000).push(compressed), { code: 'unimplemented' });
  const boundary = new MessageBoundary();
  boundary.push(compressed);
  t.ok(boundary.atBoundary);
});
