import { StatusError } from '@jetbridge/proto/status-error';
import type { Rows } from '../database/database.ts';
import { findGatewayHolding } from '../gateways/store.ts';
import { findWorkerHolding } from '../workers/store.ts';

export type EnrolledKind = 'worker' | 'gateway';

/** One active worker, and one active gateway, has a name at a time. */
export async function requireFreeName(rows: Rows, kind: EnrolledKind, name: string, now: Date): Promise<void> {
  const holder = kind === 'worker' ? await findWorkerHolding(rows, name, now) : await findGatewayHolding(rows, name, now);
  if (holder !== undefined) {
    throw nameTaken(kind, name);
  }
}

export function nameTaken(kind: EnrolledKind, name: string): StatusError {
  return new StatusError(
    'already_exists',
    `another active ${kind} has the name "${name}"; choose another name, or wait until its credential has expired`,
  );
}
