import t from 'tap';
import { check, scenariosForCheck } from './check.ts';
import { checkReport } from './report/check-report.ts';
import { resultsWith, type Samples } from './results.fixture.ts';
import type { MetricDefinition, Scenario } from './scenario.ts';
import type { Target } from './targets.ts';
import type { Verdict } from './verdicts.ts';

const metrics: readonly MetricDefinition[] = [
  { name: 'perS', title: 'per second', unit: '1/s', better: 'more' },
  { name: 'p99', title: 'p99', unit: 'ms', better: 'less' },
  { name: 'bytes', title: 'bytes', unit: 'B', better: 'less' },
  { name: 'cpu:servers', title: 'CPU', unit: 's', better: 'less' },
  { name: 'cpu:client', title: 'CPU', unit: 's', better: 'less' },
];

const measured = (peers: Readonly<Record<string, Samples>>) => resultsWith(peers, metrics);

t.test('a slowdown of more than a fifth is visible, and fails past the noise', async (t) => {
  const before = measured({ mesh: { perS: [100] } });
  const steady = check(measured({ mesh: { perS: [75] } }), [], before);
  t.match(steady.failedChanges, [{ scenario: 's', peer: 'mesh', metric: 'perS', against: undefined }]);
  t.equal(steady.failedChanges[0]?.worse.toFixed(3), '0.333');
  t.same(check(measured({ mesh: { perS: [85] } }), [], before).slower, []);
  const noisy = check(measured({ mesh: { perS: [60, 75, 90] } }), [], before);
  t.equal(noisy.slower.length, 1);
  t.same(noisy.failedChanges, [], 'the samples lie 40 % apart');
});

t.test('what a slower machine does to others too is taken out', async (t) => {
  const before = measured({ mesh: { perS: [100] }, nginx: { perS: [1000] } });
  const busy = check(measured({ mesh: { perS: [50] }, nginx: { perS: [500] } }), [], before);
  t.match(busy.changes, [{ worse: 0, against: 'nginx' }]);
  const ours = check(measured({ mesh: { perS: [50] }, nginx: { perS: [1000] } }), [], before);
  t.match(ours.failedChanges, [{ worse: 1 }]);
});

t.test('only what says something is watched, and only ours', async (t) => {
  const figures: Samples = { perS: [1], p99: [1], bytes: [1], 'cpu:servers': [1], 'cpu:client': [1] };
  const results = measured({ mesh: figures, 'worker-direct': figures, nginx: figures });
  t.same(
    check(results, [], results).changes.map(({ peer, metric }) => `${peer} ${metric}`),
    ['mesh perS', 'mesh cpu:servers', 'worker-direct perS', 'worker-direct cpu:servers'],
  );
  t.same(check(results, [], undefined).changes, []);
  const timed = { ...results, scenarios: results.scenarios.map((scenario) => ({ ...scenario, runsForTime: true })) };
  t.same(
    check(timed, [], timed).changes.map(({ metric }) => metric),
    ['perS', 'perS'],
    'who does more in the same time uses more',
  );
});

t.test('goals fail past tolerance and noise only', async (t) => {
  const target: Target = {
    name: 'x',
    title: 'the goal',
    unit: '',
    numerator: { scenario: 's', peer: 'mesh', metric: 'perS' },
    denominators: [],
    better: 'more',
    target: 1,
    stretch: 2,
  };
  const verdict = (value: number, noise: number): Verdict => ({ target, outcome: value >= 1 ? 'hit' : 'missed', value, noise });
  const failed = (value: number, noise: number) => check(measured({}), [verdict(value, noise)], undefined).failedGoals.length;
  t.same([failed(1, 0), failed(0.95, 0), failed(0.8, 0), failed(0.8, 0.2)], [0, 0, 1, 0]);
  t.same(check(measured({}), [{ target, outcome: 'not measured', reason: 'x' }], undefined).failedGoals, []);
});

t.test('the report names what fails, worst first', async (t) => {
  const before = measured({ mesh: { perS: [100], 'cpu:servers': [1] } });
  const outcome = check(measured({ mesh: { perS: [50], 'cpu:servers': [0.9] } }), [], before);
  const text = checkReport(outcome, before);
  t.match(text, /baseline of 2026-01-02, commit abc/);
  t.match(text, /FAILED +100 % worse[\s\S]*10 % better/);
  t.match(text, /FAILED: s mesh perS is 100 % worse/);
  t.match(checkReport(check(before, [], before), before), /ok: nothing/);
  t.match(checkReport(check(before, [], undefined), undefined), /no baseline/);
});

t.test('the check runs ours, whom goals compare with, and one other', async (t) => {
  const scenario: Scenario = {
    name: 's',
    title: 's',
    peers: ['mesh', 'worker-direct', 'flight-server', 'nginx', 'postgres'],
    metrics: [],
    run: async () => ({}),
  };
  const figure = { scenario: 's', peer: 'nginx', metric: 'm' };
  const goal = { name: 'x', title: 'x', unit: '', numerator: figure, denominators: [], better: 'less', target: 1, stretch: 1 } as const;
  t.same(scenariosForCheck([scenario], [goal])[0]?.peers, ['mesh', 'worker-direct', 'flight-server', 'nginx']);
  t.same(scenariosForCheck([scenario], [])[0]?.peers, ['mesh', 'worker-direct', 'flight-server']);
});
