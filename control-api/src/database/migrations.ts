import { type Kysely, sql } from 'kysely';
import type { Migration, MigrationProvider } from 'kysely/migration';

// Migrations only go up: a released one is never edited, a mistake is mended by the next.

const foundation: Migration = {
  async up(database: Kysely<unknown>): Promise<void> {
    for (const statement of FOUNDATION) {
      await sql.raw(statement).execute(database);
    }
  },
};

const FOUNDATION = [
  `create table principal (
    id text primary key,
    name text not null unique,
    kind text not null check (kind in ('person', 'service')),
    roles text[] not null,
    password_hash text,
    created_at timestamptz not null
  )`,
  `create table access_token (
    id text primary key,
    principal_id text not null references principal (id),
    kind text not null check (kind in ('session', 'named')),
    parent_id text references access_token (id),
    name text,
    session_id text,
    secret_hash text not null,
    source_address text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    last_used_at timestamptz,
    revoked_at timestamptz
  )`,
  'create index access_token_of_principal on access_token (principal_id, kind)',
  'create index access_token_of_parent on access_token (parent_id) where parent_id is not null',
  `create table enrollment_token (
    id text primary key,
    secret_hash text not null,
    kind text not null check (kind in ('worker', 'gateway')),
    name text not null,
    pool text,
    labels jsonb not null,
    dns_names text[] not null,
    ip_addresses text[] not null,
    tunnel_address text,
    created_by text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    used_at timestamptz,
    used_public_key text,
    reply jsonb
  )`,
  'create index enrollment_token_expiry on enrollment_token (expires_at)',
  `create table worker (
    id text primary key,
    name text not null,
    pool text not null,
    labels jsonb not null,
    state text not null check (state in ('active', 'revoked')),
    created_at timestamptz not null,
    credential_serial text not null,
    credential_not_after timestamptz not null
  )`,
  `create unique index worker_active_name on worker (name) where state = 'active'`,
  `create table gateway (
    id text primary key,
    name text not null,
    labels jsonb not null,
    state text not null check (state in ('active', 'revoked')),
    dns_names text[] not null,
    tunnel_address text,
    flight_address text,
    version text,
    created_at timestamptz not null,
    credential_serial text not null,
    credential_not_after timestamptz not null,
    reported_at timestamptz,
    tunnels_reported_at timestamptz
  )`,
  `create unique index gateway_active_name on gateway (name) where state = 'active'`,
  `create table tunnel (
    gateway_id text not null references gateway (id),
    tunnel_id text not null,
    worker_id text not null references worker (id),
    boot_id text not null,
    version text not null,
    connected_at timestamptz not null,
    catalogs text[] not null,
    primary key (gateway_id, tunnel_id)
  )`,
  'create index tunnel_of_worker on tunnel (worker_id)',
  `create table audit (
    sequence bigint primary key,
    at timestamptz not null,
    actor text,
    action text not null,
    subject text,
    outcome text not null check (outcome in ('success', 'failure')),
    source_address text not null,
    detail jsonb not null,
    previous_hash text not null,
    hash text not null unique
  )`,
  `create function audit_refuses_change() returns trigger language plpgsql as $$
    begin
      raise exception 'audit is append-only';
    end
  $$`,
  `create trigger audit_append_only before update or delete or truncate on audit
    for each statement execute function audit_refuses_change()`,
];

/** The static list of migrations, in order of their names. */
export const migrations: MigrationProvider = {
  getMigrations: () => Promise.resolve({ '001-foundation': foundation }),
};
