import type { GatewayReport, TunnelReport } from '@jetbridge/proto/control';
import type { GatewayAddress } from '@jetbridge/proto/enrollment';
import { StatusError } from '@jetbridge/proto/status-error';
import type { Rows } from '../database/database.ts';
import { PRESENCE_TTL_MS } from '../limits.ts';
import { listGatewayAddresses, replaceTunnels, type StoredGateway, updateGateway } from './store.ts';

export interface GatewaysOptions {
  readonly rows: Rows;
  readonly now: () => Date;
}

/** Reports made before this count as old: their gateway is not alive, their tunnels are not known. */
export function presentSince(now: Date): Date {
  return new Date(now.getTime() - PRESENCE_TTL_MS);
}

export function isAlive(gateway: StoredGateway, now: Date): boolean {
  return gateway.reported_at !== null && gateway.reported_at > presentSince(now);
}

export async function reportGateway({ rows, now }: GatewaysOptions, id: string, report: GatewayReport): Promise<void> {
  await updateGateway(rows, id, report, now());
}

/** Takes a gateway's full set of tunnels; from it workers are online until `PRESENCE_TTL_MS` later. */
export async function reportTunnels({ rows, now }: GatewaysOptions, id: string, tunnels: readonly TunnelReport[]): Promise<void> {
  if (new Set(tunnels.map(({ tunnelId }) => tunnelId)).size !== tunnels.length) {
    throw new StatusError('invalid_argument', 'body.tunnels names a tunnel twice');
  }
  await rows.transaction().execute((writes) => replaceTunnels(writes, id, tunnels, now()));
}

export function aliveGatewayAddresses({ rows, now }: GatewaysOptions): Promise<readonly GatewayAddress[]> {
  return listGatewayAddresses(rows, presentSince(now()));
}
