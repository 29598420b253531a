import { numberIn } from '../go-load.ts';
import { measuredRoundTripMs } from '../mesh/round-trip.ts';
import { TUNNEL_ROUND_TRIP_MS } from '../peers/mesh-delayed.ts';
import type { Scenario } from '../scenario.ts';

const PEERS = ['mesh-50ms', 'mesh-0ms'];
const ITERATIONS = 100;

/** For targets: `roundTrips` of mesh-50ms is an absolute figure; below 1 would mean that nothing travelled. */
export const delaySelect1: Scenario = {
  name: 'delay-select-1',
  title: `SELECT 1 with ${TUNNEL_ROUND_TRIP_MS} ms of round trip between worker and gateway`,
  peers: PEERS,
  metrics: [
    { name: 'p50', title: 'median', unit: 'ms', better: 'less' },
    { name: 'p99', title: '99th percentile', unit: 'ms', better: 'less' },
    { name: 'roundTripMs', title: 'one byte there and back through the proxy', unit: 'ms', better: 'less' },
    { name: 'roundTrips', title: 'median in such round trips', unit: '', better: 'less' },
  ],
  run: async ({ bench, peer, load, measured }) => {
    const answer = await measured(() =>
      load.ask('latency', { target: peer.target, sql: 'SELECT 1', iterations: ITERATIONS, prepared: false }),
    );
    const [p50, p99] = [numberIn(answer, 'p50Ms'), numberIn(answer, 'p99Ms')];
    if (peer.target.roundTripMs === undefined) {
      return { p50, p99 };
    }
    const roundTripMs = await measuredRoundTripMs(bench, peer.target.roundTripMs);
    return { p50, p99, roundTripMs, roundTrips: p50 / roundTripMs };
  },
};

/** For targets: `rowsPerS` of mesh-50ms / mesh-0ms. */
export const delayBulk: Scenario = {
  name: 'delay-bulk',
  title: `lineitem, all columns, with ${TUNNEL_ROUND_TRIP_MS} ms of round trip between worker and gateway`,
  peers: PEERS,
  metrics: [
    { name: 'rowsPerS', title: 'rows', unit: 'M/s', better: 'more' },
    { name: 'bytesPerS', title: 'Arrow bytes', unit: 'MB/s', better: 'more' },
    { name: 'bytes', title: 'Arrow bytes read', unit: 'B', better: 'less' },
  ],
  run: async ({ peer, load, measured }) => {
    const sql = `SELECT * FROM ${peer.target.tablePrefix}lineitem`;
    const answer = await measured(() => load.ask('bulk', { target: peer.target, sql, clients: 1, client: 'pyarrow' }));
    const bytes = numberIn(answer, 'bytes');
    const seconds = numberIn(answer, 'seconds');
    return { rowsPerS: numberIn(answer, 'rows') / seconds / 1e6, bytesPerS: bytes / seconds / 1e6, bytes };
  },
};
