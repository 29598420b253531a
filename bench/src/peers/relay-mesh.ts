import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { startTunnels } from '../mesh/bench-worker.ts';
import { startParts } from '../mesh/parts.ts';
import type { Peer } from '../peer.ts';

/** A real gateway; behind its tunnel a Go worker that answers from memory, so that what is read is the relay alone. */
export const relayMesh: Peer = {
  name: 'relay-mesh',
  title: 'Jetbridge gateway: TLS client, mTLS tunnel, authenticated',
  start: async (bench, signal) => {
    const directory = await mkdtemp(join(bench.temporary, 'relay-mesh-'));
    const parts = await startParts(directory, signal);
    const gateway = await parts.startGateway();
    const worker = await startTunnels(bench, parts, gateway, { workers: 1, tunnelsPerWorker: 1 }, join(directory, 'tunnels.json'), signal);
    return {
      target: {
        protocol: 'flight',
        uri: gateway.flightUri,
        caFile: parts.caFile,
        headers: { authorization: `Bearer ${await parts.accessToken()}` },
        tablePrefix: '',
      },
      processes: [
        { stage: 'relay', pid: gateway.pid },
        { stage: 'upstream', pid: worker.pid },
      ],
      stop: async () => {
        await worker.stop();
        await parts.stop();
      },
    };
  },
};
