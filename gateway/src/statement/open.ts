import { choosePool, noWorkerOfPool } from '../routing/choose-pool.ts';
import { rendezvous } from '../routing/rendezvous.ts';
import type { ReadyTunnel, Tunnels } from '../tunnel/tunnels.ts';

export interface NewWork {
  readonly sessionId: string;
  /** The catalog the client asked for by header, if any. */
  readonly catalog: string | undefined;
}

/** The tunnel for work that names no worker: a session stays with one worker of its pool, for its options and temporary tables live there. */
export function openWork(tunnels: Tunnels, { sessionId, catalog }: NewWork): ReadyTunnel {
  const pool = choosePool(catalog, tunnels.pools());
  const workerId = rendezvous(sessionId, pool.workerIds);
  const tunnel = workerId === undefined ? undefined : tunnels.ofWorker(workerId);
  if (tunnel === undefined) {
    throw noWorkerOfPool(pool.name);
  }
  return tunnel;
}
