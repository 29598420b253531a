import { startLoadClient } from './load-client.ts';
import { type Bench, PeerMissing } from './peer.ts';
import type { MetricDefinition } from './scenario.ts';

/** Runs work with a Go load client of its own, where Python would be the bottleneck. Its CPU is in each answer as `clientCpuS`. */
export async function withGoLoad<T>(bench: Bench, work: (ask: Ask) => Promise<T>): Promise<T> {
  const load = await startLoadClient({ program: goProgram(bench, 'load'), args: [] });
  try {
    return await work((op, args) => load.ask(op, args));
  } finally {
    await load.close();
  }
}

export type Ask = (op: GoOperation, args: object) => Promise<Record<string, unknown>>;

type GoOperation = 'stream' | 'unary' | 'open' | 'lookups' | 'idle';

/** The Go programs are built together: where one is, all are. */
export function goProgram({ tools }: Bench, name: 'load' | 'upstream' | 'proxy' | 'sqlite' | 'delay'): string {
  if (tools.goLoad === undefined) {
    throw new PeerMissing('the Go programs of the bench could not be built: there is no working Go');
  }
  return tools.goLoad.replace(/load$/, name);
}

/** A number that an operation promised. */
export function numberIn(answer: Readonly<Record<string, unknown>>, name: string): number {
  const value = answer[name];
  if (typeof value !== 'number') {
    throw new Error(`the load client's answer has no number ${name}`);
  }
  return value;
}

/** Of the Go client, which the runner does not know. */
export function clientCpu(): MetricDefinition {
  return { name: 'clientCpu', title: 'CPU of the Go client', unit: 's', better: 'less' };
}
