import type { EnrollReply } from '@jetbridge/proto/enrollment';
import type { Insertable, Selectable } from 'kysely';
import type { Rows, Writes } from '../database/database.ts';
import type { EnrollmentTokenRow } from '../database/tables.ts';
import type { TimePlace } from '../http/page.ts';

export type StoredEnrollmentToken = Selectable<EnrollmentTokenRow>;

export async function insertEnrollmentToken(writes: Writes, row: Insertable<EnrollmentTokenRow>): Promise<void> {
  await writes.insertInto('enrollment_token').values(row).execute();
}

export function findEnrollmentToken(rows: Rows, id: string) {
  return rows.selectFrom('enrollment_token').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Newest first. */
export function listEnrollmentTokens(rows: Rows, limit: number, after: TimePlace | undefined) {
  return rows
    .selectFrom('enrollment_token')
    .selectAll()
    .$if(after !== undefined, (query) =>
      query.where((where) => where(where.refTuple('created_at', 'id'), '<', where.tuple(after?.at as Date, after?.id as string))),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
}

export async function countOpenEnrollmentTokens(rows: Rows, now: Date): Promise<number> {
  const { count } = await rows
    .selectFrom('enrollment_token')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('expires_at', '>', now)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .executeTakeFirstOrThrow();
  return count;
}

/** The compare-and-set that makes a token single-use: of all who try at once, one gets true; the others wait for its transaction and get false. */
export async function useEnrollmentToken(writes: Writes, id: string, publicKey: string, now: Date): Promise<boolean> {
  const { numUpdatedRows } = await writes
    .updateTable('enrollment_token')
    .set({ used_at: now, used_public_key: publicKey })
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** Keeps the answer for a caller that loses it. */
export async function keepReply(writes: Writes, id: string, reply: EnrollReply): Promise<void> {
  await writes
    .updateTable('enrollment_token')
    .set({ reply: JSON.stringify(reply) })
    .where('id', '=', id)
    .execute();
}

/** False when it was used or revoked before. */
export async function revokeEnrollmentToken(writes: Writes, id: string, now: Date): Promise<boolean> {
  const { numUpdatedRows } = await writes
    .updateTable('enrollment_token')
    .set({ revoked_at: now })
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function deleteEnrollmentTokensExpiredBefore(writes: Writes, time: Date): Promise<void> {
  await writes.deleteFrom('enrollment_token').where('expires_at', '<', time).execute();
}
