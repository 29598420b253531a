import { StatusError } from '@jetbridge/proto/status-error';
import type { Presence } from '../presence/interface.ts';
import type { ReadyTunnel, Tunnels } from '../tunnel/tunnels.ts';

/** The tunnel to the worker that a handle names: nobody else can open it. */
export async function claimWork(tunnels: Tunnels, presence: Pick<Presence, 'find'>, workerId: string): Promise<ReadyTunnel> {
  const tunnel = tunnels.ofWorker(workerId);
  if (tunnel !== undefined) {
    return tunnel;
  }
  const lease = await presence.find(workerId).catch(() => undefined);
  throw new StatusError(
    'unavailable',
    lease === undefined
      ? `the worker ${workerId} of this statement is gone; run the statement again`
      : `the worker ${workerId} of this statement is connected to the gateway ${lease.gatewayId} only; connect there or run the statement again`,
  );
}
