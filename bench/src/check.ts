import { isOwnPeer } from './own-peers.ts';
import { findMetric, type Results, type ScenarioResult } from './results.ts';
import type { MetricDefinition, Scenario } from './scenario.ts';
import type { Summary } from './statistics.ts';
import type { Target } from './targets.ts';
import { usageMetricDefinition } from './usage-metrics.ts';
import type { Verdict } from './verdicts.ts';

/** How one figure of ours compares with the one of the baseline. */
export interface Change {
  readonly scenario: string;
  readonly peer: string;
  readonly metric: string;
  /** How much worse than the baseline: 0.2 is a fifth slower, below 0 is better. */
  readonly worse: number;
  /** Half of all spreads together, and no less than runs of one commit differ by. */
  readonly noise: number;
  /** The peer whose own change was taken out, because the machine may be another one or busy. */
  readonly against: string | undefined;
}

export interface CheckResult {
  readonly changes: readonly Change[];
  /** Slower by more than a fifth: to be looked at. */
  readonly slower: readonly Change[];
  /** Slower by more than a fifth and what noise explains. */
  readonly failedChanges: readonly Change[];
  readonly failedGoals: readonly Verdict[];
}

/** A slowdown of a scenario that must be visible. */
const SLOWER = 0.2;
/** Samples of one run lie closer together than those of two runs. */
const NOISE_MIN = 0.1;
/** How far past its target a ratio may be before it counts, beyond its own noise: two runs of one commit differ by as much. */
const GOAL_TOLERANCE = 0.1;

/** The scenarios as the check runs them: ours, and whom they are compared with. */
export function scenariosForCheck(scenarios: readonly Scenario[], targets: readonly Target[]): readonly Scenario[] {
  const figures = targets.flatMap(({ numerator, denominators }) => [numerator, ...denominators]);
  return scenarios.map((scenario) => {
    const compared = new Set(figures.filter((figure) => figure.scenario === scenario.name).map(({ peer }) => peer));
    const reference = scenario.peers.find((peer) => !isOwnPeer(peer));
    return { ...scenario, peers: scenario.peers.filter((peer) => isOwnPeer(peer) || compared.has(peer) || peer === reference) };
  });
}

export function check(results: Results, verdicts: readonly Verdict[], baseline: Results | undefined): CheckResult {
  const changes = baseline === undefined ? [] : results.scenarios.flatMap((scenario) => changesOf(scenario, baseline));
  const slower = changes.filter(({ worse }) => worse > SLOWER);
  return {
    changes,
    slower,
    failedChanges: slower.filter(({ worse, noise }) => worse > SLOWER + noise),
    failedGoals: verdicts.filter(isFarMissed),
  };
}

function isFarMissed(verdict: Verdict): boolean {
  if (verdict.outcome !== 'missed') {
    return false;
  }
  const { better, target } = verdict.target;
  const past = better === 'less' ? verdict.value / target - 1 : target / verdict.value - 1;
  return past > GOAL_TOLERANCE + verdict.noise;
}

function changesOf(scenario: ScenarioResult, baseline: Results): readonly Change[] {
  const metrics = scenario.metrics.filter((metric) => isWatched(metric, scenario));
  return scenario.peers
    .filter(({ name }) => isOwnPeer(name))
    .flatMap((peer) => metrics.flatMap((metric) => changeOf(scenario, peer.name, metric, baseline) ?? []));
}

// `bytes` is what was asked for. Of usage only CPU: it is steady where wall time is not.
function isWatched({ name }: MetricDefinition, { runsForTime }: ScenarioResult): boolean {
  const usage = usageMetricDefinition(name);
  return usage === undefined ? name !== 'bytes' && !/p99$/i.test(name) : name === 'cpu:servers' && runsForTime !== true;
}

function changeOf(scenario: ScenarioResult, peer: string, metric: MetricDefinition, baseline: Results): Change | undefined {
  const own = worsening(scenario, peer, metric, baseline);
  if (own === undefined) {
    return undefined;
  }
  const others = scenario.peers.map(({ name }) => name).filter((name) => !isOwnPeer(name));
  const against = others.find((name) => worsening(scenario, name, metric, baseline) !== undefined);
  const reference = against === undefined ? undefined : worsening(scenario, against, metric, baseline);
  return {
    scenario: scenario.name,
    peer,
    metric: metric.name,
    worse: own.factor / (reference?.factor ?? 1) - 1,
    noise: Math.max(NOISE_MIN, own.noise + (reference?.noise ?? 0)),
    against,
  };
}

/** By which factor the figure is worse now. */
function worsening(
  { name, peers }: ScenarioResult,
  peer: string,
  { name: metric, better }: MetricDefinition,
  baseline: Results,
): { readonly factor: number; readonly noise: number } | undefined {
  const now = peers.find((one) => one.name === peer)?.metrics[metric];
  const before = findMetric(baseline, name, peer, metric);
  if (!isPositive(now) || !isPositive(before)) {
    return undefined;
  }
  const growth = now.median / before.median;
  return { factor: better === 'less' ? growth : 1 / growth, noise: (now.spread + before.spread) / 2 };
}

function isPositive(summary: Summary | undefined): summary is Summary {
  return summary !== undefined && summary.median > 0;
}
