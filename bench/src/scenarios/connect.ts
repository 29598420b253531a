import { numberIn } from '../go-load.ts';
import type { Scenario } from '../scenario.ts';

const ITERATIONS = 12;

/** One after the other: a new connection, its sign-in, one statement, and goodbye. */
export const connectScenario: Scenario = {
  name: 'connect',
  title: 'New connection, sign-in and SELECT 1, one after the other',
  peers: ['mesh', 'worker-direct', 'gizmosql', 'flight-server', 'flight-server-tls', 'go-sqlite', 'quack', 'postgres'],
  metrics: [
    { name: 'perS', title: 'connections', unit: '1/s', better: 'more' },
    { name: 'p50', title: 'median', unit: 'ms', better: 'less' },
    { name: 'p99', title: '99th percentile', unit: 'ms', better: 'less' },
  ],
  run: async ({ peer, load, measured }) => {
    const answer = await measured(() => load.ask('connect', { target: peer.target, sql: 'SELECT 1', iterations: ITERATIONS }));
    return { perS: 1000 / numberIn(answer, 'meanMs'), p50: numberIn(answer, 'p50Ms'), p99: numberIn(answer, 'p99Ms') };
  },
};
