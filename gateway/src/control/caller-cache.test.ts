import { createSecretKey, randomBytes } from 'node:crypto';
import type { AuthenticateReply } from '@jetbridge/proto/control';
import { StatusError } from '@jetbridge/proto/status-error';
import t from 'tap';
import { FakeControl } from '../testing/fake-control.ts';
import { CallerCache } from './caller-cache.ts';

const RIGHT = { basic: { username: 'ada', password: 'pass:word' } };
const WRONG = { basic: { username: 'ada', password: 'wrong' } };

function cacheOf(limits: Partial<{ callers: number }> = {}) {
  const control = new FakeControl();
  const clock = { ms: Date.now() };
  const counts = { hit: 0, miss: 0 };
  const cache = new CallerCache({
    control,
    limits: { callers: 3, verifiedTtlMs: 30_000, refusedTtlMs: 2_000, ...limits },
    key: createSecretKey(randomBytes(32)),
    now: () => clock.ms,
    counted: (result) => {
      counts[result] += 1;
    },
  });
  return { control, clock, cache, counts };
}

t.test('a verified caller is asked about once per TTL', async (t) => {
  const { control, clock, cache, counts } = cacheOf();
  const { principal } = await cache.authenticate(RIGHT, 'here');
  t.equal(principal.name, 'ada');
  clock.ms += 29_999;
  await cache.authenticate(RIGHT, 'here');
  t.equal(control.questions, 1);
  clock.ms += 1;
  await cache.authenticate(RIGHT, 'here');
  t.equal(control.questions, 2);
  t.same(counts, { hit: 1, miss: 2 });
});

t.test('a refused caller is remembered shortly', async (t) => {
  const { control, clock, cache } = cacheOf();
  await t.rejects(cache.authenticate(WRONG, 'here'), { code: 'unauthenticated' });
  await t.rejects(cache.authenticate(WRONG, 'here'), { code: 'unauthenticated' });
  t.equal(control.questions, 1);
  clock.ms += 2_000;
  await t.rejects(cache.authenticate(WRONG, 'here'), { code: 'unauthenticated' });
  t.equal(control.questions, 2);
});

t.test('a control-api that cannot answer is no refusal', async (t) => {
  const { control, cache } = cacheOf();
  control.reachable = false;
  await t.rejects(cache.authenticate(RIGHT, 'here'), { code: 'unavailable' });
  t.equal(cache.size, 0);
  control.reachable = true;
  await t.resolves(cache.authenticate(RIGHT, 'here'));
});

t.test('many at once make one question', async (t) => {
  const { control, cache } = cacheOf();
  const replies = await Promise.all([
    cache.authenticate(RIGHT, 'here'),
    cache.authenticate(RIGHT, 'here'),
    cache.authenticate(RIGHT, 'here'),
  ]);
  t.equal(control.questions, 1);
  t.equal(new Set(replies).size, 1);
});

t.test('no caller is believed beyond its expiry', async (t) => {
  const { control, clock, cache } = cacheOf();
  const reply: AuthenticateReply = { principal: control.principal, expiresAt: new Date(clock.ms + 1_000).toISOString() };
  control.authenticate = async () => {
    control.questions += 1;
    return reply;
  };
  await cache.authenticate(RIGHT, 'here');
  clock.ms += 1_000;
  await cache.authenticate(RIGHT, 'here');
  t.equal(control.questions, 2);
});

t.test('bearer and password never stand for each other, nor do names for passwords', async (t) => {
  const { cache } = cacheOf();
  await cache.authenticate(RIGHT, 'here');
  await t.rejects(cache.authenticate({ bearer: 'pass:word' }, 'here'));
  await t.rejects(cache.authenticate({ basic: { username: 'ada","pass:word', password: '' } }, 'here'));
  await t.rejects(cache.authenticate({ basic: { username: 'adapass', password: ':word' } }, 'here'));
});

t.test('the cache is bounded', async (t) => {
  const { control, cache } = cacheOf({ callers: 3 });
  for (let token = 0; token < 10; token += 1) {
    control.addToken(`jba_${token}`);
    await cache.authenticate({ bearer: `jba_${token}` }, 'here');
  }
  t.equal(cache.size, 3);
  control.questions = 0;
  await cache.authenticate({ bearer: 'jba_9' }, 'here');
  t.equal(control.questions, 0);
  await cache.authenticate({ bearer: 'jba_0' }, 'here');
  t.equal(control.questions, 1);
});

t.test('an answer on its way does not bring a signed-out token back', async (t) => {
  const { control, cache } = cacheOf();
  const answer = Promise.withResolvers<AuthenticateReply>();
  control.authenticate = () => answer.promise;
  const asked = cache.authenticate({ bearer: 'jba_x' }, 'here');
  cache.forget('jba_x');
  answer.resolve({ principal: control.principal, expiresAt: new Date(Date.now() + 60_000).toISOString() });
  await asked;
  await t.rejects(
    cache.authenticate({ bearer: 'jba_x' }, 'here'),
    new StatusError('unauthenticated', 'the access token has been signed out; connect again'),
  );
});
