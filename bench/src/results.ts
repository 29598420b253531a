import type { MetricDefinition } from './scenario.ts';
import type { Summary } from './statistics.ts';

/** Everything one run found out. This is the JSON file's shape. */
export interface Results {
  readonly startedAt: string;
  readonly commit: string;
  /** The working tree had changes that the commit does not hold. */
  readonly dirty: boolean;
  readonly repeats: number;
  readonly machine: Machine;
  readonly scenarios: readonly ScenarioResult[];
  readonly missing: readonly MissingPeer[];
}

/** Nothing that names a host, a user or a path. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  readonly clients: Readonly<Record<string, string>>;
}

export interface ScenarioResult {
  readonly name: string;
  readonly title: string;
  readonly metrics: readonly MetricDefinition[];
  readonly peers: readonly PeerResult[];
  readonly runsForTime?: boolean;
}

export interface PeerResult {
  readonly name: string;
  readonly title: string;
  /** By metric name: the scenario's own, then `seconds`, `cpu:STAGE`, `cpuPerGb:STAGE` and `rss:STAGE`. */
  readonly metrics: Readonly<Record<string, Summary>>;
  /** Why it could not be measured to the end. */
  readonly failure?: string;
}

export interface MissingPeer {
  readonly name: string;
  readonly title: string;
  readonly reason: string;
}

export function findMetric(results: Results, scenario: string, peer: string, metric: string): Summary | undefined {
  return results.scenarios.find(({ name }) => name === scenario)?.peers.find(({ name }) => name === peer)?.metrics[metric];
}
