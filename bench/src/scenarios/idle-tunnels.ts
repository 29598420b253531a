import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startTunnels } from '../mesh/bench-worker.ts';
import { startParts } from '../mesh/parts.ts';
import { ownModule } from '../own-module.ts';
import { rssBytesOf } from '../process-usage.ts';
import type { Scenario } from '../scenario.ts';

/** Enrolling is limited to 120 a minute for an address, so each worker holds several tunnels; a gateway keeps the same of each. */
const WORKERS = 100;
const TUNNELS_PER_WORKER = 5;
const SETTLE_MS = 2_000;
const COLLECT_GARBAGE = ownModule('../mesh/collect-garbage', import.meta.url);

/** A gateway of its own, real enrollment, real mTLS, hello answered; nobody asks anything. For targets: `bytesPerTunnel`, in bytes. */
export const idleTunnelsScenario: Scenario = {
  name: 'idle-tunnels',
  title: `${WORKERS * TUNNELS_PER_WORKER} idle tunnels of ${WORKERS} workers at one gateway`,
  peers: ['mesh'],
  metrics: [
    { name: 'bytesPerTunnel', title: 'resident memory of the gateway per tunnel, garbage collected', unit: 'B', better: 'less' },
    {
      name: 'bytesPerTunnelAtOnce',
      title: 'right after the tunnels were opened, with the garbage of 500 handshakes',
      unit: 'B',
      better: 'less',
    },
    { name: 'gatewayRss', title: 'gateway with all tunnels', unit: 'B', better: 'less' },
  ],
  run: async ({ bench, signal }) => {
    const directory = await mkdtemp(join(bench.temporary, 'idle-tunnels-'));
    const parts = await startParts(directory, signal);
    try {
      const gateway = await parts.startGateway({ preload: COLLECT_GARBAGE });
      const plan = { workers: WORKERS, tunnelsPerWorker: TUNNELS_PER_WORKER };
      const before = await liveRss(gateway.pid, signal);
      const workers = await startTunnels(bench, parts, gateway, plan, join(directory, 'tunnels.json'), signal);
      await delay(SETTLE_MS, undefined, { signal });
      const atOnce = rssBytesOf(gateway.pid);
      const after = await liveRss(gateway.pid, signal);
      await workers.stop();
      const perTunnel = (bytes: number): number => (bytes - before) / (WORKERS * TUNNELS_PER_WORKER);
      return { bytesPerTunnel: perTunnel(after), bytesPerTunnelAtOnce: perTunnel(atOnce), gatewayRss: after };
    } finally {
      await parts.stop();
      await rm(directory, { recursive: true, force: true });
    }
  },
};

async function liveRss(pid: number, signal: AbortSignal): Promise<number> {
  process.kill(pid, 'SIGWINCH');
  await delay(SETTLE_MS, undefined, { signal });
  return rssBytesOf(pid);
}
