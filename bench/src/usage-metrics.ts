import type { MetricDefinition } from './scenario.ts';
import { CLIENT_STAGE, type SectionUsage } from './usage-meter.ts';

const GIGABYTE = 1e9;

/** All servers together, without the client. */
export const ALL_STAGES = 'servers';

/** The figures that every scenario has besides its own: `seconds`, and `cpu:`, `cpuPerGb:` and `rss:` by stage. */
export function usageMetrics(usage: SectionUsage | undefined, bytes: number | undefined): Readonly<Record<string, number>> {
  if (usage === undefined) {
    return {};
  }
  const metrics: Record<string, number> = { seconds: usage.seconds };
  let serversCpuS = 0;
  for (const [stage, { cpuS, peakRssBytes }] of Object.entries(usage.stages)) {
    addCpu(metrics, stage, cpuS, bytes);
    metrics[`rss:${stage}`] = peakRssBytes;
    serversCpuS += stage === CLIENT_STAGE ? 0 : cpuS;
  }
  if (Object.keys(usage.stages).length > 1) {
    addCpu(metrics, ALL_STAGES, serversCpuS, bytes);
  }
  return metrics;
}

function addCpu(metrics: Record<string, number>, stage: string, cpuS: number, bytes: number | undefined): void {
  metrics[`cpu:${stage}`] = cpuS;
  if (bytes !== undefined && bytes > 0) {
    metrics[`cpuPerGb:${stage}`] = cpuS / (bytes / GIGABYTE);
  }
}

/** How to show a metric that the scenario itself did not define; undefined for one that is not ours either. */
export function usageMetricDefinition(name: string): MetricDefinition | undefined {
  if (name === 'seconds') {
    return { name, title: 'wall time', unit: 's', better: 'less' };
  }
  const [kind, stage] = name.split(':');
  const [title, unit] = { cpu: ['CPU', 's'], cpuPerGb: ['CPU per GB', 's/GB'], rss: ['peak RSS', 'B'] }[kind ?? ''] ?? [];
  return title === undefined || unit === undefined || stage === undefined
    ? undefined
    : { name, title: `${title}, ${stage}`, unit, better: 'less' };
}
