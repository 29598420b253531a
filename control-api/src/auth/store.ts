import type { Principal } from '@jetbridge/proto/control';
import type { Insertable, Selectable } from 'kysely';
import type { Rows, Writes } from '../database/database.ts';
import type { AccessTokenRow, PrincipalRow } from '../database/tables.ts';

export type StoredPrincipal = Selectable<PrincipalRow>;
export type StoredAccessToken = Selectable<AccessTokenRow>;

export function principalOf(row: Pick<StoredPrincipal, 'id' | 'name' | 'kind' | 'roles'>): Principal {
  return { id: row.id, name: row.name, kind: row.kind, roles: row.roles };
}

export function findPrincipal(rows: Rows, by: 'id' | 'name', value: string) {
  return rows.selectFrom('principal').selectAll().where(by, '=', value).executeTakeFirst();
}

export async function anyPrincipal(rows: Rows): Promise<boolean> {
  return (await rows.selectFrom('principal').select('id').limit(1).executeTakeFirst()) !== undefined;
}

/** By name, from the one after `after`. */
export function listPrincipals(rows: Rows, limit: number, after: string | undefined) {
  return rows
    .selectFrom('principal')
    .selectAll()
    .$if(after !== undefined, (query) => query.where('name', '>', after as string))
    .orderBy('name')
    .limit(limit)
    .execute();
}

export async function insertPrincipal(writes: Writes, row: Insertable<PrincipalRow>): Promise<void> {
  await writes.insertInto('principal').values(row).execute();
}

/** The token with its principal. */
export function findAccessToken(rows: Rows, id: string) {
  return rows
    .selectFrom('access_token as token')
    .innerJoin('principal', 'principal.id', 'token.principal_id')
    .selectAll('token')
    .select(['principal.name as principal_name', 'principal.kind as principal_kind', 'principal.roles as principal_roles'])
    .where('token.id', '=', id)
    .executeTakeFirst();
}

export async function insertAccessToken(writes: Writes, row: Insertable<AccessTokenRow>): Promise<void> {
  await writes.insertInto('access_token').values(row).execute();
}

/** Named tokens of one principal or, without one, of all; newest first. Ids are random, so they only break ties. */
export function listNamedTokens(
  rows: Rows,
  principalId: string | undefined,
  limit: number,
  after: { readonly at: Date; readonly id: string } | undefined,
) {
  return rows
    .selectFrom('access_token')
    .selectAll()
    .where('kind', '=', 'named')
    .$if(principalId !== undefined, (query) => query.where('principal_id', '=', principalId as string))
    .$if(after !== undefined, (query) =>
      query.where((where) => where(where.refTuple('created_at', 'id'), '<', where.tuple(after?.at as Date, after?.id as string))),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

export async function countLiveNamedTokens(rows: Rows, principalId: string, now: Date): Promise<number> {
  const { count } = await rows
    .selectFrom('access_token')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('principal_id', '=', principalId)
    .where('kind', '=', 'named')
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow();
  return count;
}

/** Revokes a token and the sessions opened with it. False when it was revoked before. */
export async function revokeAccessToken(writes: Writes, id: string, now: Date): Promise<boolean> {
  const revoked = await writes
    .updateTable('access_token')
    .set({ revoked_at: now })
    .where((where) => where.or([where('id', '=', id), where('parent_id', '=', id)]))
    .where('revoked_at', 'is', null)
    .returning('id')
    .execute();
  return revoked.some((token) => token.id === id);
}

export async function touchAccessToken(rows: Rows, id: string, now: Date): Promise<void> {
  await rows.updateTable('access_token').set({ last_used_at: now }).where('id', '=', id).execute();
}

/** Deletes sessions of a principal that ended before `endedBefore`, and the least recently used beyond `keep`. */
export async function pruneSessions(writes: Writes, principalId: string, endedBefore: Date, keep: number): Promise<void> {
  const sessions = writes.deleteFrom('access_token').where('principal_id', '=', principalId).where('kind', '=', 'session');
  await sessions.where((where) => where.or([where('expires_at', '<', endedBefore), where('revoked_at', '<', endedBefore)])).execute();
  await sessions
    .where('id', 'in', (query) =>
      query
        .selectFrom('access_token')
        .select('id')
        .where('principal_id', '=', principalId)
        .where('kind', '=', 'session')
        .orderBy((order) => order.fn.coalesce('last_used_at', 'created_at'), 'desc')
        .offset(keep),
    )
    .execute();
}
