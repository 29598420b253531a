import { formatSpread, formatValue } from '../format.ts';
import { isOwnPeer } from '../own-peers.ts';
import type { PeerResult, ScenarioResult } from '../results.ts';
import type { MetricDefinition } from '../scenario.ts';
import { ALL_STAGES, usageMetricDefinition } from '../usage-metrics.ts';
import { type Bar, barChart, legend, type Stack, stackChart } from './bars.ts';
import { escapeHtml } from './html.ts';

// A scenario with more figures of its own has parts of one whole: the whole is shown, the parts are in the table.
const CHARTS_MAX = 8;

/** Stages in the order in which they first appear, each with a colour that it keeps over the page. */
export function stageColours(scenarios: readonly ScenarioResult[]): ReadonlyMap<string, number> {
  const stages = new Set(scenarios.flatMap(({ peers }) => peers.flatMap((peer) => stagesOf(peer, 'cpu'))));
  return new Map([...stages].map((stage, index) => [stage, index % 8]));
}

export function scenarioSection(scenario: ScenarioResult, colours: ReadonlyMap<string, number>): string {
  const { name, title, peers } = scenario;
  const stages = [...new Set(peers.flatMap((peer) => stagesOf(peer, 'cpu')))];
  const failures = peers
    .filter(({ failure }) => failure !== undefined)
    .map((peer) => `<p class="missed">${escapeHtml(`${peer.name} failed: ${peer.failure}`)}</p>`);
  const stacks = [stacksOf(scenario, 'cpuPerGb', colours) || stacksOf(scenario, 'cpu', colours), stacksOf(scenario, 'rss', colours)];
  return `<section id="${escapeHtml(name)}"><h2>${escapeHtml(name)}</h2><p class="faint">${escapeHtml(title)}</p>${failures.join('')}
<div class="charts">${chartedMetrics(scenario)
    .map((metric) => metricChart(metric, peers))
    .join('')}${stacks.join('')}</div>
${stages.length === 0 ? '' : legend(stages, colours)}
<details><summary>All figures</summary>${figuresTable(scenario)}</details></section>`;
}

function chartedMetrics({ metrics, peers }: ScenarioResult): readonly MetricDefinition[] {
  const own = metrics.filter(({ name }) => usageMetricDefinition(name) === undefined && name !== 'bytes');
  const measured = own.filter(({ name }) => peers.some((peer) => peer.metrics[name] !== undefined));
  return measured.length > CHARTS_MAX ? measured.slice(0, 1) : measured;
}

function metricChart({ name, title, unit, better }: MetricDefinition, peers: readonly PeerResult[]): string {
  const bars = peers.flatMap((peer): readonly Bar[] => {
    const summary = peer.metrics[name];
    return summary === undefined ? [] : [{ ...summary, label: peer.name, value: summary.median, own: isOwnPeer(peer.name) }];
  });
  return barChart({ title, unit, better, bars });
}

const STACK_TITLES = { cpu: ['CPU by stage', 's'], cpuPerGb: ['CPU per GB by stage', 's/GB'], rss: ['Peak RSS by stage', 'B'] } as const;

function stacksOf({ peers }: ScenarioResult, kind: keyof typeof STACK_TITLES, colours: ReadonlyMap<string, number>): string {
  const stacks = peers.flatMap((peer): readonly Stack[] => {
    const parts = stagesOf(peer, kind).map((stage) => ({ stage, value: peer.metrics[`${kind}:${stage}`]?.median ?? 0 }));
    return parts.length === 0 ? [] : [{ label: peer.name, parts }];
  });
  const [title, unit] = STACK_TITLES[kind];
  return stacks.length === 0 ? '' : stackChart({ title, unit, stacks, colours });
}

function stagesOf({ metrics }: PeerResult, kind: string): readonly string[] {
  const names = Object.keys(metrics).filter((name) => name.startsWith(`${kind}:`));
  return names.map((name) => name.slice(kind.length + 1)).filter((stage) => stage !== ALL_STAGES);
}

function figuresTable({ metrics, peers }: ScenarioResult): string {
  const head = peers.map((peer) => `<th class="number" title="${escapeHtml(peer.title)}">${escapeHtml(peer.name)}</th>`).join('');
  const rows = metrics.map((metric) => {
    const cells = peers.map((peer) => {
      const summary = peer.metrics[metric.name];
      const text =
        summary === undefined
          ? ''
          : `${escapeHtml(formatValue(summary.median, metric.unit))} <small>${formatSpread(summary.spread)}</small>`;
      return `<td class="number">${text}</td>`;
    });
    return `<tr><td>${escapeHtml(metric.title)}</td>${cells.join('')}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr><th></th>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}
