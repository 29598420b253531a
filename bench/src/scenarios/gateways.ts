import { numberIn } from '../go-load.ts';
import type { Scenario } from '../scenario.ts';
import { lookupsScenario } from './lookups.ts';

const CLIENTS = 4;

/** Where the machine has few cores, clients and worker take what a second gateway could use: read the CPU of each stage as well. */
export const gatewaysScenario: Scenario = {
  name: 'gateways',
  title: `One and two gateway processes: lineitem for ${CLIENTS} clients at once, and point lookups of 16`,
  peers: ['mesh', 'mesh-2-gateways'],
  metrics: [
    { name: 'rowsPerS', title: 'rows', unit: 'M/s', better: 'more' },
    { name: 'perS', title: 'lookups', unit: '1/s', better: 'more' },
    { name: 'p99', title: 'lookups, 99th percentile', unit: 'ms', better: 'less' },
  ],
  run: async (context) => {
    const { peer, load, measured } = context;
    const sql = `SELECT * FROM ${peer.target.tablePrefix}lineitem WHERE l_orderkey <= 2000000`;
    const bulk = await measured(() => load.ask('bulk', { target: peer.target, sql, clients: CLIENTS }));
    const { perS, p99 } = await lookupsScenario.run(context);
    return { rowsPerS: numberIn(bulk, 'rows') / numberIn(bulk, 'seconds') / 1e6, perS: perS ?? 0, p99: p99 ?? 0 };
  },
};
