import type { PrincipalKind, PrincipalRole, WorkerState } from '@jetbridge/proto/control';
import type { EnrollReply } from '@jetbridge/proto/enrollment';
import type { ColumnType, JSONColumnType } from 'kysely';

type Labels = Readonly<Record<string, string>>;
/** Set once, when the row is made. */
type Fixed<T> = ColumnType<T, T, never>;
/** A jsonb column: written as JSON text so that both drivers send the same bytes. */
type Json<T extends object | null> = JSONColumnType<T, string, string>;

export interface PrincipalRow {
  id: Fixed<string>;
  name: Fixed<string>;
  kind: Fixed<PrincipalKind>;
  roles: PrincipalRole[];
  password_hash: string | null;
  created_at: Fixed<Date>;
}

export interface AccessTokenRow {
  id: Fixed<string>;
  principal_id: Fixed<string>;
  kind: Fixed<'session' | 'named'>;
  /** The named token that a session was opened with instead of a password: the session ends with it. */
  parent_id: Fixed<string | null>;
  name: Fixed<string | null>;
  /** `ses_…` of a session token. */
  session_id: Fixed<string | null>;
  secret_hash: Fixed<string>;
  source_address: Fixed<string>;
  created_at: Fixed<Date>;
  expires_at: Fixed<Date>;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

export interface EnrollmentTokenRow {
  id: Fixed<string>;
  secret_hash: Fixed<string>;
  kind: Fixed<'worker' | 'gateway'>;
  name: Fixed<string>;
  pool: Fixed<string | null>;
  labels: Json<Labels>;
  dns_names: Fixed<string[]>;
  ip_addresses: Fixed<string[]>;
  tunnel_address: Fixed<string | null>;
  created_by: Fixed<string>;
  created_at: Fixed<Date>;
  expires_at: Fixed<Date>;
  revoked_at: Date | null;
  used_at: Date | null;
  used_public_key: string | null;
  /** The answer that was given, kept for a caller that lost it. Holds certificates, no secret. */
  reply: JSONColumnType<EnrollReply | null, string | null, string | null>;
}

export interface WorkerRow {
  id: Fixed<string>;
  name: Fixed<string>;
  pool: Fixed<string>;
  labels: Json<Labels>;
  state: WorkerState;
  created_at: Fixed<Date>;
  credential_serial: string;
  credential_not_after: Date;
}

export interface GatewayRow {
  id: Fixed<string>;
  name: Fixed<string>;
  labels: Json<Labels>;
  state: WorkerState;
  dns_names: Fixed<string[]>;
  tunnel_address: string | null;
  flight_address: string | null;
  version: string | null;
  created_at: Fixed<Date>;
  credential_serial: string;
  credential_not_after: Date;
  /** The last report of the gateway: it counts as alive for `PRESENCE_TTL_MS` after it. */
  reported_at: Date | null;
  /** The last snapshot of its tunnels; older than `PRESENCE_TTL_MS`, it says nothing about now. */
  tunnels_reported_at: Date | null;
}

export interface TunnelRow {
  gateway_id: Fixed<string>;
  tunnel_id: Fixed<string>;
  worker_id: Fixed<string>;
  boot_id: string;
  version: string;
  connected_at: Date;
  catalogs: string[];
}

export interface AuditRow {
  sequence: Fixed<number>;
  at: Fixed<Date>;
  /** The principal, worker or gateway that acted; null when nobody proved to be anyone. */
  actor: Fixed<string | null>;
  action: Fixed<string>;
  subject: Fixed<string | null>;
  outcome: Fixed<'success' | 'failure'>;
  source_address: Fixed<string>;
  detail: ColumnType<Readonly<Record<string, unknown>>, string, never>;
  previous_hash: Fixed<string>;
  hash: Fixed<string>;
}

export interface Tables {
  principal: PrincipalRow;
  access_token: AccessTokenRow;
  enrollment_token: EnrollmentTokenRow;
  worker: WorkerRow;
  gateway: GatewayRow;
  tunnel: TunnelRow;
  audit: AuditRow;
}
