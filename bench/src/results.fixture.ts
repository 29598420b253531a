import type { Results } from './results.ts';
import type { MetricDefinition } from './scenario.ts';
import { summarize } from './statistics.ts';

/** Samples by metric. */
export type Samples = Readonly<Record<string, readonly number[]>>;

/** A run of the one scenario `s` with these peers; a peer called `away` was missing. */
export function resultsWith(peers: Readonly<Record<string, Samples>>, metrics: readonly MetricDefinition[] = []): Results {
  return {
    startedAt: '2026-01-02T03:04:05.000Z',
    commit: 'abc',
    dirty: false,
    repeats: 1,
    machine: { cpu: 'x', cores: 1, memoryBytes: 1, kernel: 'x', node: 'x', clients: {} },
    scenarios: [
      {
        name: 's',
        title: 's',
        metrics,
        peers: Object.entries(peers).map(([name, samplesByMetric]) => ({
          name,
          title: name,
          metrics: Object.fromEntries(Object.entries(samplesByMetric).map(([metric, samples]) => [metric, summarize(samples)])),
        })),
      },
    ],
    missing: [{ name: 'away', title: 'away', reason: 'not installed' }],
  };
}
