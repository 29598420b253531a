import type { Change, CheckResult } from '../check.ts';
import type { Results } from '../results.ts';

/** What the gate says: every figure against the baseline, worst first, and what fails it. */
export function checkReport({ changes, slower, failedChanges, failedGoals }: CheckResult, baseline: Results | undefined): string {
  const lines = [
    baseline === undefined
      ? 'There is no baseline to compare with; --save-baseline makes one.'
      : `Against the baseline of ${baseline.startedAt.slice(0, 10)}, commit ${baseline.commit}`,
    ...[...changes].sort((one, other) => other.worse - one.worse).map((change) => changeLine(change, slower, failedChanges)),
    '',
    ...failedGoals.map(({ target }) => `FAILED goal: ${target.title}`),
    ...failedChanges.map((change) => `FAILED: ${nameOf(change)} is ${percent(change.worse)} worse than the baseline`),
    failedGoals.length + failedChanges.length === 0 ? 'ok: nothing is past its tolerance' : '',
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function changeLine(change: Change, slower: readonly Change[], failed: readonly Change[]): string {
  let mark = '';
  if (failed.includes(change)) {
    mark = 'FAILED';
  } else if (slower.includes(change)) {
    mark = 'slower';
  }
  const reference = change.against === undefined ? '' : ` relative to ${change.against}`;
  const direction = change.worse > 0 ? 'worse' : 'better';
  return `  ${mark.padEnd(7)} ${percent(Math.abs(change.worse)).padStart(6)} ${direction.padEnd(7)} ±${percent(change.noise).padEnd(6)} ${nameOf(change)}${reference}`;
}

function nameOf({ scenario, peer, metric }: Change): string {
  return `${scenario} ${peer} ${metric}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
