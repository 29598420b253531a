import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { freePort } from '../free-port.ts';
import { goProgram } from '../go-load.ts';
import { startParts } from '../mesh/parts.ts';
import type { Bench, Peer, RunningPeer } from '../peer.ts';
import { startServer } from '../server-process.ts';

export const TUNNEL_ROUND_TRIP_MS = 50;

/** The mesh with a long way between worker and gateway; the one with a way through the same proxy, but of no length, to compare it with. */
export const meshFar: Peer = delayed(
  'mesh-50ms',
  `Jetbridge mesh, tunnel with ${TUNNEL_ROUND_TRIP_MS} ms of round trip`,
  TUNNEL_ROUND_TRIP_MS,
);
export const meshNear: Peer = delayed('mesh-0ms', 'Jetbridge mesh, tunnel through the same proxy without delay', 0);

function delayed(name: string, title: string, roundTripMs: number): Peer {
  return { name, title, start: (bench, signal) => start(bench, roundTripMs, signal) };
}

async function start(bench: Bench, roundTripMs: number, signal: AbortSignal): Promise<RunningPeer> {
  const directory = await mkdtemp(join(bench.temporary, 'mesh-delayed-'));
  const tunnelPort = await freePort();
  const proxy = startServer({
    program: goProgram(bench, 'delay'),
    args: ['-to', `127.0.0.1:${tunnelPort}`, '-delay', `${roundTripMs / 2}ms`],
  });
  const { port } = JSON.parse(await proxy.firstLine()) as { readonly port: number };
  const parts = await startParts(join(directory, 'state'), signal);
  const gateway = await parts.startGateway({ tunnelPort, tunnelAddress: `127.0.0.1:${port}` });
  // The folder with the DuckDB file: what `jetbridge start` serves in the mesh without delay.
  const worker = await parts.startWorker({ sourceDirectory: dirname(bench.duckdbFile), catalog: 'files' });
  return {
    target: {
      protocol: 'flight-sql',
      uri: gateway.flightUri,
      username: parts.username,
      password: parts.password,
      caFile: parts.caFile,
      tablePrefix: 'tpch.main.',
      ...(roundTripMs === 0 ? {} : { roundTripMs }),
    },
    processes: [
      { stage: 'gateway', pid: gateway.pid },
      { stage: 'worker', pid: worker.pid },
      { stage: 'delay-proxy', pid: proxy.pid },
    ],
    stop: async () => {
      await parts.stop();
      await proxy.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
