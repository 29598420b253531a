import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './deadline.ts';
import type { Mesh } from './mesh.ts';

type ProcessName = 'gateway' | `gateway-${number}` | 'worker';

/** The metrics page of the gateway or the worker; its address is in the process's own ready file below the data directory. */
export async function metricsOf(mesh: Mesh, name: ProcessName): Promise<string> {
  const ready = JSON.parse(await readFile(join(mesh.dataDirectory, 'run', `${name}.json`), 'utf8')) as { readonly httpAddress: string };
  const response = await fetch(`http://${ready.httpAddress}/metrics`, { headers: { connection: 'close' } });
  return response.text();
}

/** The sum of a metric over its labels. */
export function metricValue(page: string, name: string): number {
  const samples = [...page.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([0-9.eE+-]+)$`, 'gm'))];
  if (samples.length === 0) {
    throw new Error(`no metric ${name} in:\n${page}`);
  }
  return samples.reduce((sum, sample) => sum + Number(sample[1]), 0);
}

/** Resolves when the metric has a value that is accepted. */
export async function metricBecomes(
  mesh: Mesh,
  process: ProcessName,
  name: string,
  accept: (value: number) => boolean,
  limitMs: number,
): Promise<number> {
  return eventually(`${process}'s ${name}`, limitMs, async () => metricValue(await metricsOf(mesh, process), name), accept);
}
