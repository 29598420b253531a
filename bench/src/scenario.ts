import type { Bench, RunningPeer } from './peer.ts';

export interface MetricDefinition {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly better: 'less' | 'more';
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Names in report order: 'mesh' (everything), 'worker-direct' … */
  readonly peers: readonly string[];
  readonly metrics: readonly MetricDefinition[];
  /** Memory is a figure here: peers are started anew, whatever ran before. */
  readonly freshPeers?: boolean;
  /** It works for a time, not through an amount: whoever is faster uses more. */
  readonly runsForTime?: boolean;
  /**
   * One repeat against one running peer. Returns numbers by metric name. Usage of client and servers over the timed section is taken by
   * the runner through `measured`.
   */
  run(context: ScenarioContext): Promise<Readonly<Record<string, number>>>;
}

export interface ScenarioContext {
  readonly peer: RunningPeer;
  readonly load: LoadClient;
  readonly bench: Bench;
  readonly signal: AbortSignal;
  measured<T>(section: () => Promise<T>): Promise<T>;
}

/** A long-lived real client process: one JSON request per line on stdin, one JSON answer per line on stdout. */
export interface LoadClient {
  readonly pid: number;
  ask(op: string, args: object): Promise<Record<string, unknown>>;
  close(): Promise<void>;
}
