import type { WorkerAdmission, WorkerSelf } from '@jetbridge/proto/control';
import { StatusError } from '@jetbridge/proto/status-error';
import { aliveGatewayAddresses, type GatewaysOptions, presentSince } from '../gateways/rules.ts';
import { findWorker, listTunnels, type StoredTunnel, type StoredWorker } from './store.ts';

/** A worker and the tunnels that a gateway holds of it now; none means it is offline. */
export interface WorkerPresence {
  readonly worker: StoredWorker;
  readonly tunnels: readonly StoredTunnel[];
}

export async function withPresence({ rows, now }: GatewaysOptions, workers: readonly StoredWorker[]): Promise<readonly WorkerPresence[]> {
  const tunnels = await listTunnels(
    rows,
    workers.map(({ id }) => id),
    presentSince(now()),
  );
  const byWorker = Map.groupBy(tunnels, ({ worker_id }) => worker_id);
  return workers.map((worker) => ({ worker, tunnels: byWorker.get(worker.id) ?? [] }));
}

/** What a gateway needs to know to admit a worker's tunnel. */
export async function readAdmission({ rows }: GatewaysOptions, id: string): Promise<WorkerAdmission> {
  const { name, pool, labels, state } = await requireWorker(rows, id);
  return { id, name, pool, labels, state };
}

export async function readWorkerSelf(options: GatewaysOptions, id: string): Promise<WorkerSelf> {
  const { name, pool, labels } = await requireWorker(options.rows, id);
  return { id, name, pool, labels, gateways: await aliveGatewayAddresses(options) };
}

export async function requireWorker(rows: GatewaysOptions['rows'], id: string): Promise<StoredWorker> {
  const worker = await findWorker(rows, id);
  if (worker === undefined) {
    throw new StatusError('not_found', 'there is no worker with this id');
  }
  return worker;
}
