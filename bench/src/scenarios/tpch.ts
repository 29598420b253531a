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
  metrics: [
    { name: 'total', title: 'all 22, by the plain Flight client of the 40-line server', unit: 's', better: 'less' },
    { name: 'totalByAdbc', title: 'all 22 by ADBC, a cursor for each', unit: 's', better: 'less' },
    ...perQuery,
  ],
  run: async ({ peer, load, bench, measured }) => {
    const queries = JSON.parse(await readFile(join(dirname(bench.duckdbFile), 'queries.json'), 'utf8')) as readonly Query[];
    const ask = (client: 'usual' | 'pyarrow') => load.ask('tpch', { target: peer.target, queries, client });
    const seconds = Object.entries(secondsIn(await measured(() => ask('pyarrow'))));
    const byAdbc = peer.target.protocol === 'flight-sql' ? { totalByAdbc: sum(Object.values(secondsIn(await ask('usual')))) } : {};
    const total = sum(seconds.map(([, one]) => one));
    return { total, ...byAdbc, ...Object.fromEntries(seconds.map(([number, one]) => [`q${number}`, one])) };
  },
};

function secondsIn(answer: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  return answer['seconds'] as Readonly<Record<string, number>>;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
