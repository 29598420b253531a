import t from 'tap';
import { quantile, summarize } from './statistics.ts';

t.test('a summary keeps the samples in their order and says how far apart they lay', async (t) => {
  t.same(summarize([4, 1, 2]), { samples: [4, 1, 2], median: 2, min: 1, max: 4, spread: 1.5 });
  t.equal(summarize([1, 2, 3, 10]).median, 2.5);
  t.equal(summarize([0, 0]).spread, 0);
  t.throws(() => summarize([]), RangeError);
});

t.test('quantiles lie between neighbours', async (t) => {
  t.equal(quantile([10, 20], 0.25), 12.5);
  t.equal(quantile([3, 1, 2], 1), 3);
  t.equal(quantile([7], 0.99), 7);
});
