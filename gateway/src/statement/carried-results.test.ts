import { newId } from '@jetbridge/proto/ids';
import t from 'tap';
import { CARRY_LIMITS } from '../limits.ts';
import { CarriedResults, type ResultOwner } from './carried-results.ts';

const LIMITS = { ...CARRY_LIMITS, resultBytes: 100, totalBytes: 250, principalBytes: 200, ttlMs: 1_000 };
const RESULT = { bytes: Buffer.from('rows'), rows: 1 };
const HANDLE = Buffer.from('a handle');

function store(nowMs: () => number = () => 0): CarriedResults {
  return new CarriedResults(LIMITS, nowMs);
}

function owner(principalId = newId('prn')): ResultOwner {
  return { principalId, sessionId: newId('ses') };
}

/** Puts a result where it can be claimed. */
function keep(results: CarriedResults, whose: ResultOwner, handle = HANDLE): void {
  const place = results.reserve(whose);
  place?.expect(handle);
  place?.complete(RESULT);
}

t.test('a result is given out once', async (t) => {
  const results = store();
  const whose = owner();
  keep(results, whose);
  t.equal(results.bytes, RESULT.bytes.length);
  t.equal(results.claim(Buffer.from('another'), whose), undefined);
  t.equal(results.claim(HANDLE, whose), RESULT);
  t.equal(results.claim(HANDLE, whose), undefined);
  t.equal(results.bytes, 0);
});

t.test('only to the session it was made for, which can still have it after others have asked', async (t) => {
  const results = store();
  const whose = owner();
  keep(results, whose);
  t.equal(results.claim(HANDLE, owner()), undefined, 'another principal');
  t.equal(results.claim(HANDLE, owner(whose.principalId)), undefined, 'another session of the same principal');
  t.equal(results.claim(HANDLE, whose), RESULT);
});

t.test('not after its time', async (t) => {
  let nowMs = 0;
  const results = store(() => nowMs);
  const whose = owner();
  keep(results, whose);
  nowMs = LIMITS.ttlMs;
  t.equal(results.claim(HANDLE, whose), undefined);
  keep(results, whose);
  nowMs += LIMITS.ttlMs;
  results.sweep();
  t.same([results.size, results.bytes], [0, 0]);
});

t.test('not after its statement was cancelled or its session closed', async (t) => {
  const results = store();
  const whose = owner();
  keep(results, whose);
  results.forget(HANDLE, newId('prn'));
  t.equal(results.size, 1, 'nobody cancels what is not his');
  results.forget(HANDLE, whose.principalId);
  t.equal(results.claim(HANDLE, whose), undefined);
  keep(results, whose);
  results.forgetSession(owner(whose.principalId));
  t.equal(results.size, 1);
  results.forgetSession(whose);
  t.equal(results.claim(HANDLE, whose), undefined);
  const place = results.reserve(whose);
  place?.expect(HANDLE);
  results.forget(HANDLE, whose.principalId);
  place?.complete(RESULT);
  t.equal(results.claim(HANDLE, whose), undefined, 'nor when it completes afterwards');
  t.equal(results.bytes, 0);
});

t.test('whoever comes early waits', async (t) => {
  const results = store();
  const whose = owner();
  for (const [end, expected] of [
    ['complete', RESULT],
    ['giveUp', undefined],
  ] as const) {
    const place = results.reserve(whose);
    place?.expect(HANDLE);
    const claimed = results.claim(HANDLE, whose);
    t.ok(claimed instanceof Promise);
    t.equal(results.claim(HANDLE, whose), undefined, 'one reader only');
    place?.[end](RESULT);
    t.equal(await claimed, expected, end);
    t.equal(results.bytes, 0);
  }
});

t.test('room is bounded, in all and for each principal, and given back', async (t) => {
  const results = store();
  const whose = owner();
  const places = [results.reserve(whose), results.reserve(whose)];
  t.equal(results.reserve(whose), undefined, 'the share of one principal');
  t.equal(results.reserve(owner()), undefined, 'the total');
  places[0]?.giveUp();
  places[0]?.giveUp();
  t.equal(results.bytes, LIMITS.resultBytes);
  places[1]?.expect(HANDLE);
  places[1]?.complete({ bytes: Buffer.alloc(LIMITS.resultBytes + 1), rows: 1 });
  t.equal(results.claim(HANDLE, whose), undefined, 'a result that exceeds its room is dropped');
  t.equal(results.bytes, 0);
  t.ok(results.reserve(owner()));
});

t.test('a handle that comes twice is not believed the second time', async (t) => {
  const results = store();
  const whose = owner();
  keep(results, whose);
  const forged = results.reserve(whose);
  forged?.expect(HANDLE);
  forged?.complete({ bytes: Buffer.from('other'), rows: 1 });
  t.equal(results.claim(HANDLE, whose), RESULT);
  t.equal(results.bytes, 0);
});
