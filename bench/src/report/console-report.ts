import { formatSpread, formatValue } from '../format.ts';
import type { Results, ScenarioResult } from '../results.ts';
import type { Verdict } from '../verdicts.ts';

/** Everything a terminal should show, as text. */
export function consoleReport(results: Results, verdicts: readonly Verdict[]): string {
  const missing = results.missing.map(({ name, reason }) => `  ${name}: ${reason}`);
  return [
    ...results.scenarios.map(scenarioText),
    verdictText(verdicts),
    ...(missing.length === 0 ? [] : [`Missing peers\n${missing.join('\n')}\n`]),
  ].join('\n');
}

function scenarioText({ name, title, metrics, peers }: ScenarioResult): string {
  const shown = metrics.filter((metric) => peers.some((peer) => peer.metrics[metric.name] !== undefined));
  const rows = shown.map((metric) => [
    metric.title,
    ...peers.map((peer) => {
      const summary = peer.metrics[metric.name];
      return summary === undefined ? '' : `${formatValue(summary.median, metric.unit)} ${formatSpread(summary.spread)}`;
    }),
  ]);
  const failures = peers.flatMap((peer) => (peer.failure === undefined ? [] : [`  ${peer.name} failed: ${peer.failure}`]));
  return [`${name}: ${title}`, table([['', ...peers.map((peer) => peer.name)], ...rows]), ...failures, ''].join('\n');
}

export function verdictText(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map((verdict) => {
    const { title, better, target, stretch, unit } = verdict.target;
    const goal = `${better === 'less' ? '≤' : '≥'} ${formatValue(target, unit)} (${formatValue(stretch, unit)})`;
    return [verdict.outcome, measuredText(verdict), goal, `${title}${referenceText(verdict)}`];
  });
  return `Goals\n${table([['', 'measured', 'goal (stretch)', ''], ...rows])}\n`;
}

function measuredText(verdict: Verdict): string {
  return verdict.outcome === 'not measured' ? '' : formatValue(verdict.value, verdict.target.unit);
}

function referenceText(verdict: Verdict): string {
  if (verdict.outcome === 'not measured') {
    return ` [${verdict.reason}]`;
  }
  return verdict.against === undefined ? '' : ` [against ${verdict.against}]`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd()).join('\n');
}
