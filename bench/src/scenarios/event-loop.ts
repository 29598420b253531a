import { stallsDuring } from '../event-loop/stall.ts';
import type { RunningPeer } from '../peer.ts';
import type { Scenario } from '../scenario.ts';

/** A process that does not turn its event loop answers nobody: not a ping, not a cancel, not another client's SELECT 1. */
export const eventLoop: Scenario = {
  name: 'event-loop',
  title: 'Longest stall of the event loops while one client reads lineitem',
  peers: ['mesh'],
  metrics: [
    { name: 'workerStall', title: 'longest stall, worker', unit: 'ms', better: 'less' },
    { name: 'workerStallP99', title: '99th percentile, worker', unit: 'ms', better: 'less' },
    { name: 'gatewayStall', title: 'longest stall, gateway', unit: 'ms', better: 'less' },
    { name: 'gatewayStallP99', title: '99th percentile, gateway', unit: 'ms', better: 'less' },
  ],
  run: async ({ peer, load, bench, measured }) => {
    const sql = `SELECT * FROM ${peer.target.tablePrefix}lineitem`;
    const read = () => measured(() => load.ask('bulk', { target: peer.target, sql, clients: 1, client: 'pyarrow' }));
    const [worker, gateway] = await stallsDuring(bench.temporary, [pidOf(peer, 'worker'), pidOf(peer, 'gateway')], read);
    return {
      workerStall: worker?.maxMs ?? Number.NaN,
      workerStallP99: worker?.p99Ms ?? Number.NaN,
      gatewayStall: gateway?.maxMs ?? Number.NaN,
      gatewayStallP99: gateway?.p99Ms ?? Number.NaN,
    };
  },
};

function pidOf(peer: RunningPeer, stage: string): number {
  const found = peer.processes.find((process) => process.stage === stage);
  if (found === undefined) {
    throw new TypeError(`no process is the ${stage}`);
  }
  return found.pid;
}
