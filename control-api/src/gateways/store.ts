import type { GatewayReport, TunnelReport } from '@jetbridge/proto/control';
import type { GatewayAddress } from '@jetbridge/proto/enrollment';
import type { Insertable, Selectable } from 'kysely';
import { sql } from 'kysely';
import type { Rows, Writes } from '../database/database.ts';
import type { GatewayRow } from '../database/tables.ts';
import { MAX_GATEWAY_ADDRESSES } from '../limits.ts';

export type StoredGateway = Selectable<GatewayRow>;

export async function insertGateway(writes: Writes, row: Insertable<GatewayRow>): Promise<void> {
  await writes.insertInto('gateway').values(row).execute();
}

/** The active holder of a name whose credential is good at `now`: nobody else may have the name. */
export function findGatewayHolding(rows: Rows, name: string, now: Date) {
  return rows
    .selectFrom('gateway')
    .select('id')
    .where('name', '=', name)
    .where('state', '=', 'active')
    .where('credential_not_after', '>', now)
    .executeTakeFirst();
}

/** Frees a name whose holder let its credential expire. */
export async function revokeExpiredGateway(writes: Writes, name: string, now: Date): Promise<void> {
  await writes
    .updateTable('gateway')
    .set({ state: 'revoked' })
    .where('name', '=', name)
    .where('state', '=', 'active')
    .where('credential_not_after', '<=', now)
    .execute();
}

export async function isActiveGateway(rows: Rows, id: string): Promise<boolean> {
  const row = await rows.selectFrom('gateway').select('id').where('id', '=', id).where('state', '=', 'active').executeTakeFirst();
  return row !== undefined;
}

export async function updateGateway(rows: Rows, id: string, report: GatewayReport, now: Date): Promise<void> {
  await rows
    .updateTable('gateway')
    .set({ tunnel_address: report.tunnelAddress, flight_address: report.flightAddress, version: report.version, reported_at: now })
    .where('id', '=', id)
    .execute();
}

/** Replaces what is known of a gateway's tunnels. Tunnels of workers that do not exist are left out. */
export async function replaceTunnels(writes: Writes, gatewayId: string, tunnels: readonly TunnelReport[], now: Date): Promise<void> {
  await writes.updateTable('gateway').set({ reported_at: now, tunnels_reported_at: now }).where('id', '=', gatewayId).execute();
  await writes
    .deleteFrom('tunnel')
    .where('gateway_id', '=', gatewayId)
    .where(
      'tunnel_id',
      'not in',
      sql<string>`(select jsonb_array_elements_text(${JSON.stringify(tunnels.map(({ tunnelId }) => tunnelId))}::jsonb))`,
    )
    .execute();
  // One parameter for all rows: PostgreSQL takes 65,535 of them at most.
  await sql`
    insert into tunnel (gateway_id, tunnel_id, worker_id, boot_id, version, connected_at, catalogs)
    select ${gatewayId}, report."tunnelId", report."workerId", report."bootId", report.version, report."connectedAt", report.catalogs
    from jsonb_to_recordset(${JSON.stringify(tunnels)}::jsonb)
      as report("tunnelId" text, "workerId" text, "bootId" text, version text, "connectedAt" timestamptz, catalogs text[])
    join worker on worker.id = report."workerId"
    on conflict (gateway_id, tunnel_id) do update
      set boot_id = excluded.boot_id, version = excluded.version, connected_at = excluded.connected_at, catalogs = excluded.catalogs
  `.execute(writes);
}

/** Gateways by name, each with the number of its tunnels. */
export function listGateways(rows: Rows, limit: number, after: string | undefined) {
  return rows
    .selectFrom('gateway')
    .selectAll()
    .select((select) =>
      select
        .selectFrom('tunnel')
        .select((count) => count.fn.countAll<number>().as('count'))
        .whereRef('tunnel.gateway_id', '=', 'gateway.id')
        .as('tunnel_count'),
    )
    .where('state', '=', 'active')
    .$if(after !== undefined, (query) => query.where('name', '>', after as string))
    .orderBy('name')
    .limit(limit)
    .execute();
}

/** Where a worker finds the gateways that reported since `reportedSince`. */
export async function listGatewayAddresses(rows: Rows, reportedSince: Date): Promise<readonly GatewayAddress[]> {
  const gateways = await rows
    .selectFrom('gateway')
    .select(['id', 'tunnel_address', 'dns_names'])
    .where('state', '=', 'active')
    .where('reported_at', '>', reportedSince)
    .where('tunnel_address', 'is not', null)
    .orderBy('id')
    .limit(MAX_GATEWAY_ADDRESSES)
    .execute();
  return gateways.map(({ id, tunnel_address, dns_names }) => {
    const tunnelAddress = tunnel_address ?? '';
    return { id, tunnelAddress, serverName: dns_names[0] ?? hostOf(tunnelAddress) };
  });
}

function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
}
