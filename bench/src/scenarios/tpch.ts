import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MetricDefinition, Scenario } from '../scenario.ts';

interface Query {
  readonly number: number;
  readonly sql: string;
}

const QUERIES = 22;

const perQuery: readonly MetricDefinition[] = Array.from({ length: QUERIES }, (_, index) => ({
  name: `q${index + 1}`,
  title: `Q${index + 1}`,
  unit: 's',
  better: 'less',
}));

/** The engine works, results are small: shows what the way costs when it should not matter. */
export const tpch: Scenario = {
  name: 'tpch',
  title: 'TPC-H Q1–22, each once, one connection',
  peers: ['mesh', 'worker-direct', 'flight-server', 'gizmosql', 'python-duckdb'],
  metrics: [{ name: 'total', title: 'all 22', unit: 's', better: 'less' }, ...perQuery],
  run: async ({ peer, load, bench, measured }) => {
    const queries = JSON.parse(await readFile(join(dirname(bench.duckdbFile), 'queries.json'), 'utf8')) as readonly Query[];
    const answer = await measured(() => load.ask('tpch', { target: peer.target, queries }));
    const seconds = Object.entries(answer['seconds'] as Readonly<Record<string, number>>);
    const total = seconds.reduce((sum, [, one]) => sum + one, 0);
    return { total, ...Object.fromEntries(seconds.map(([number, one]) => [`q${number}`, one])) };
  },
};
