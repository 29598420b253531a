import { numberIn } from '../go-load.ts';
import { TUNNEL_ROUND_TRIP_MS } from '../peers/mesh-delayed.ts';
import type { Scenario } from '../scenario.ts';

const PEERS = ['mesh-50ms', 'mesh-0ms'];
const ITERATIONS = 40;
// A third of the table: two million rows, long enough for any window to open.
const LARGEST_KEY = 2_000_000;

/** For targets: `roundTrips` of mesh-50ms is an absolute figure; below 1 would mean that nothing travelled. */
export const delaySelect1: Scenario = {
  name: 'delay-select-1',
  title: `SELECT 1 with ${TUNNEL_ROUND_TRIP_MS} ms of round trip between worker and gateway`,
  peers: PEERS,
  metrics: [
    { name: 'p50', title: 'median', unit: 'ms', better: 'less' },
    { name: 'p99', title: '99th percentile', unit: 'ms', better: 'less' },
    { name: 'roundTrips', title: 'median in round trips of the tunnel', unit: '', better: 'less' },
  ],
  run: async ({ peer, load, measured }) => {
    const answer = await measured(() =>
      load.ask('latency', { target: peer.target, sql: 'SELECT 1', iterations: ITERATIONS, prepared: false }),
    );
    const p50 = numberIn(answer, 'p50Ms');
    return {
      p50,
      p99: numberIn(answer, 'p99Ms'),
      // Only where there is such a way.
      ...(peer.processes.some(({ stage }) => stage === 'delay-proxy') ? { roundTrips: p50 / TUNNEL_ROUND_TRIP_MS } : {}),
    };
  },
};

/** For targets: `rowsPerS` of mesh-50ms / mesh-0ms. */
export const delayBulk: Scenario = {
  name: 'delay-bulk',
  title: `a third of lineitem, all columns, with ${TUNNEL_ROUND_TRIP_MS} ms of round trip between worker and gateway`,
  peers: PEERS,
  metrics: [
    { name: 'rowsPerS', title: 'rows', unit: 'M/s', better: 'more' },
    { name: 'bytesPerS', title: 'Arrow bytes', unit: 'MB/s', better: 'more' },
    { name: 'bytes', title: 'Arrow bytes read', unit: 'B', better: 'less' },
  ],
  run: async ({ peer, load, measured }) => {
    const sql = `SELECT * FROM ${peer.target.tablePrefix}lineitem WHERE l_orderkey <= ${LARGEST_KEY}`;
    const answer = await measured(() => load.ask('bulk', { target: peer.target, sql, clients: 1 }));
    const bytes = numberIn(answer, 'bytes');
    const seconds = numberIn(answer, 'seconds');
    return { rowsPerS: numberIn(answer, 'rows') / seconds / 1e6, bytesPerS: bytes / seconds / 1e6, bytes };
  },
};
