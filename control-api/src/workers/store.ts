import type { Insertable, Selectable } from 'kysely';
import type { Rows, Writes } from '../database/database.ts';
import type { TunnelRow, WorkerRow } from '../database/tables.ts';

export type StoredWorker = Selectable<WorkerRow>;
export type StoredTunnel = Selectable<TunnelRow>;

export async function insertWorker(writes: Writes, row: Insertable<WorkerRow>): Promise<void> {
  await writes.insertInto('worker').values(row).execute();
}

/** The active holder of a name whose credential is good at `now`: nobody else may have the name. */
export function findWorkerHolding(rows: Rows, name: string, now: Date) {
  return rows
    .selectFrom('worker')
    .select('id')
    .where('name', '=', name)
    .where('state', '=', 'active')
    .where('credential_not_after', '>', now)
    .executeTakeFirst();
}

/** Frees a name whose holder let its credential expire. */
export async function revokeExpiredWorker(writes: Writes, name: string, now: Date): Promise<void> {
  await writes
    .updateTable('worker')
    .set({ state: 'revoked' })
    .where('name', '=', name)
    .where('state', '=', 'active')
    .where('credential_not_after', '<=', now)
    .execute();
}

export function findWorker(rows: Rows, id: string) {
  return rows.selectFrom('worker').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function isActiveWorker(rows: Rows, id: string): Promise<boolean> {
  return (await findWorker(rows, id))?.state === 'active';
}

/** Active workers by name. */
export function listWorkers(rows: Rows, limit: number, after: string | undefined) {
  return rows
    .selectFrom('worker')
    .selectAll()
    .where('state', '=', 'active')
    .$if(after !== undefined, (query) => query.where('name', '>', after as string))
    .orderBy('name')
    .limit(limit)
    .execute();
}

/** The tunnels of some workers in gateway snapshots made after `reportedSince`. */
export async function listTunnels(rows: Rows, workerIds: readonly string[], reportedSince: Date): Promise<readonly StoredTunnel[]> {
  if (workerIds.length === 0) {
    return [];
  }
  return await rows
    .selectFrom('tunnel')
    .innerJoin('gateway', 'gateway.id', 'tunnel.gateway_id')
    .selectAll('tunnel')
    .where('tunnel.worker_id', 'in', workerIds)
    .where('gateway.tunnels_reported_at', '>', reportedSince)
    .orderBy('tunnel.connected_at')
    .execute();
}
