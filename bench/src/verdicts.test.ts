import t from 'tap';
import { resultsWith } from './results.fixture.ts';
import type { Results } from './results.ts';
import type { Target } from './targets.ts';
import { judge } from './verdicts.ts';

/** One metric of each peer. */
function measured(peers: Readonly<Record<string, readonly number[]>>): Results {
  return resultsWith(Object.fromEntries(Object.entries(peers).map(([name, samples]) => [name, { m: samples }])));
}

const figure = (peer: string) => ({ scenario: 's', peer, metric: 'm' });
const atMost: Target = {
  name: 'x',
  title: 'x',
  unit: '',
  numerator: figure('ours'),
  denominators: [figure('away'), { ...figure('other'), factor: 2 }],
  better: 'less',
  target: 1,
  stretch: 0.5,
};

t.test('a ratio is taken against the first that is there, times its factor', async (t) => {
  const [verdict] = judge(measured({ ours: [9, 10, 11], other: [5, 5] }), [atMost]);
  t.match(verdict, { outcome: 'hit', value: 1, against: '2 × other' });
  t.equal(verdict?.outcome === 'hit' && verdict.noise, 0.1, 'half of both spreads');
});

t.test('the better one counts, in either direction', async (t) => {
  const outcomes = (target: Target, ours: number) => judge(measured({ ours: [ours], other: [1] }), [target])[0]?.outcome;
  t.same([outcomes(atMost, 1), outcomes(atMost, 1.5), outcomes(atMost, 2.1)], ['stretch', 'hit', 'missed']);
  const atLeast: Target = { ...atMost, better: 'more', target: 1, stretch: 1.5 };
  t.same([outcomes(atLeast, 3), outcomes(atLeast, 2), outcomes(atLeast, 1.9)], ['stretch', 'hit', 'missed']);
});

t.test('a figure may stand for itself', async (t) => {
  t.match(judge(measured({ ours: [3] }), [{ ...atMost, denominators: [], target: 2 }]), [{ outcome: 'missed', value: 3 }]);
});

t.test('what is known of a peer that is not there counts last', async (t) => {
  const target: Target = { ...atMost, denominators: [figure('away')], known: { value: 4, title: '4, as it was once' } };
  t.match(judge(measured({ ours: [2] }), [target]), [{ outcome: 'stretch', value: 0.5, against: '4, as it was once' }]);
  t.match(judge(measured({ ours: [2], away: [1] }), [target]), [{ outcome: 'missed', value: 2, against: 'away' }]);
});

t.test('what was not measured says why', async (t) => {
  const reasonFor = (target: Target, peers: Readonly<Record<string, readonly number[]>>) => {
    const [verdict] = judge(measured(peers), [target]);
    return verdict?.outcome === 'not measured' ? verdict.reason : undefined;
  };
  t.equal(reasonFor(atMost, { ours: [1] }), 'away is missing: not installed');
  t.equal(reasonFor(atMost, { other: [1] }), 'ours did not take part in s');
  t.equal(reasonFor({ ...atMost, numerator: { scenario: 'later', peer: 'ours', metric: 'm' } }, {}), 'scenario later did not run');
});
