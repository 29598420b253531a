import { setTimeout as delay } from 'node:timers/promises';
import { withGoLoad } from '../go-load.ts';
import { startFresh } from '../mesh/fresh.ts';
import type { RunningPeer } from '../peer.ts';
import { rssBytesOf } from '../process-usage.ts';
import type { MetricDefinition, Scenario } from '../scenario.ts';

/** Until what the start left behind has been collected. */
const SETTLE_MS = 4_000;
const CLIENTS = 500;
const PEERS = ['mesh', 'gizmosql', 'flight-server', 'quack'];

const METRIC_OF_STAGE: Readonly<Record<string, string>> = {
  worker: 'workerIdleRss',
  gateway: 'gatewayIdleRss',
  'control-api': 'controlApiIdleRss',
  server: 'serverIdleRss',
};

/** Started anew for each repeat: a process that has worked keeps what it once needed. For targets: `workerIdleRss`, in bytes. */
export const idleScenario: Scenario = {
  name: 'idle',
  title: 'Resident memory of each process, started and not asked for anything yet',
  peers: PEERS,
  metrics: Object.values(METRIC_OF_STAGE).map((name) => bytes(name, `${name.replace('IdleRss', '')}, idle`)),
  run: async ({ peer, bench, signal }) => {
    const fresh = await startFresh(peer, bench, signal);
    try {
      await delay(SETTLE_MS, undefined, { signal });
      return Object.fromEntries(fresh.processes.map(({ stage, pid }) => [METRIC_OF_STAGE[stage] ?? stage, rssBytesOf(pid)]));
    } finally {
      await fresh.stop();
    }
  },
};

/** The first stage is the one that clients connect to: the gateway of the mesh. */
export const idleClientsScenario: Scenario = {
  name: 'idle-clients',
  title: `${CLIENTS} connections that have asked once and then keep silent`,
  peers: PEERS.filter((name) => name !== 'quack'),
  metrics: [
    bytes('bytesPerClient', 'resident memory per connection, at the gateway or server'),
    bytes('bytesPerClientInAll', 'in all processes'),
  ],
  run: async ({ peer, bench, signal }) => {
    const fresh = await startFresh(peer, bench, signal);
    try {
      return await withGoLoad(bench, async (ask) => {
        // A few first: what is made once is not per connection.
        await ask('idle', { target: fresh.target, clients: 8, sql: 'SELECT 1' });
        await delay(SETTLE_MS, undefined, { signal });
        const before = rssOf(fresh);
        await ask('idle', { target: fresh.target, clients: CLIENTS, sql: 'SELECT 1' });
        await delay(SETTLE_MS, undefined, { signal });
        const grown = rssOf(fresh).map((rss, index) => rss - (before[index] ?? 0));
        return {
          bytesPerClient: (grown[0] ?? 0) / CLIENTS,
          bytesPerClientInAll: grown.reduce((sum, one) => sum + one, 0) / CLIENTS,
        };
      });
    } finally {
      await fresh.stop();
    }
  },
};

function rssOf({ processes }: RunningPeer): readonly number[] {
  return processes.map(({ pid }) => rssBytesOf(pid));
}

function bytes(name: string, title: string): MetricDefinition {
  return { name, title, unit: 'B', better: 'less' };
}
