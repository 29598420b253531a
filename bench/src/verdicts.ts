import { findMetric, type Results } from './results.ts';
import type { Reference, Target } from './targets.ts';

/** How a row of the table of goals came out. */
export type Verdict = { readonly target: Target } & (
  | { readonly outcome: 'not measured'; readonly reason: string }
  | {
      readonly outcome: 'missed' | 'hit' | 'stretch';
      readonly value: number;
      /** How far the value may be off, from the spread of both figures. */
      readonly noise: number;
      /** What the numerator was divided by, in words; undefined for a figure that stands for itself. */
      readonly against?: string;
    }
);

export function judge(results: Results, targets: readonly Target[]): readonly Verdict[] {
  return targets.map((target) => judgeOne(results, target));
}

function judgeOne(results: Results, target: Target): Verdict {
  const { scenario, peer, metric } = target.numerator;
  const numerator = findMetric(results, scenario, peer, metric);
  if (numerator === undefined) {
    return { target, outcome: 'not measured', reason: whyMissing(results, scenario, peer) };
  }
  if (target.denominators.length === 0) {
    return { target, outcome: outcomeOf(target, numerator.median), value: numerator.median, noise: numerator.spread / 2 };
  }
  for (const reference of target.denominators) {
    const denominator = findMetric(results, reference.scenario, reference.peer, reference.metric);
    if (denominator !== undefined && denominator.median > 0) {
      const value = numerator.median / (denominator.median * (reference.factor ?? 1));
      const noise = (numerator.spread + denominator.spread) / 2;
      return { target, outcome: outcomeOf(target, value), value, noise, against: describeReference(reference) };
    }
  }
  if (target.known !== undefined) {
    const value = numerator.median / target.known.value;
    return { target, outcome: outcomeOf(target, value), value, noise: numerator.spread / 2, against: target.known.title };
  }
  const first = target.denominators[0];
  return { target, outcome: 'not measured', reason: first === undefined ? '' : whyMissing(results, first.scenario, first.peer) };
}

function outcomeOf({ better, target, stretch }: Target, value: number): 'missed' | 'hit' | 'stretch' {
  const reaches = (goal: number): boolean => (better === 'less' ? value <= goal : value >= goal);
  if (reaches(stretch)) {
    return 'stretch';
  }
  return reaches(target) ? 'hit' : 'missed';
}

function whyMissing(results: Results, scenario: string, peer: string): string {
  const missing = results.missing.find(({ name }) => name === peer);
  if (missing !== undefined) {
    return `${peer} is missing: ${missing.reason}`;
  }
  const found = results.scenarios.find(({ name }) => name === scenario);
  if (found === undefined) {
    return `scenario ${scenario} did not run`;
  }
  return found.peers.find(({ name }) => name === peer)?.failure ?? `${peer} did not take part in ${scenario}`;
}

/** Which peer, and by which factor where it stands for another. */
function describeReference({ peer, factor }: Reference): string {
  return factor === undefined ? peer : `${factor} × ${peer}`;
}
