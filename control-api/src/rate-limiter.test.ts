import t from 'tap';
import { MAX_RATE_LIMIT_KEYS } from './limits.ts';
import { RateLimiter } from './rate-limiter.ts';

t.test('a limit holds within its window', (t) => {
  let ms = 0;
  const limiter = new RateLimiter({ max: 2, windowMs: 1000 }, () => new Date(ms));
  limiter.take('a');
  limiter.take('a');
  ms = 400;
  t.throws(() => limiter.take('a'), { code: 'resource_exhausted', retryAfterMs: 600 });
  limiter.take('b');
  limiter.giveBack('a');
  limiter.take('a');
  t.throws(() => limiter.take('a'), { code: 'resource_exhausted' });
  ms = 1000;
  limiter.take('a');
  t.end();
});

t.test('the key seen first makes room', (t) => {
  const limiter = new RateLimiter({ max: 1, windowMs: 1000 }, () => new Date(0));
  for (let key = 0; key <= MAX_RATE_LIMIT_KEYS; key += 1) {
    limiter.take(String(key));
  }
  limiter.take('0');
  t.throws(() => limiter.take(String(MAX_RATE_LIMIT_KEYS)), { code: 'resource_exhausted' });
  t.end();
});
