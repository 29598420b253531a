import { ADVISORY_LOCKS, advisoryLock, type Rows, type Writes } from '../database/database.ts';
import { type AuditContent, auditHash, CHAIN_START, canonicalJson } from './chain.ts';

export type AuditEntry = Omit<AuditContent, 'sequence'>;

/**
 * Appends in the caller's transaction: the record exists exactly if what it tells of does. It must be the last thing the
 * transaction writes, since every other writer of audit records waits from here to its end.
 */
export async function appendAudit(writes: Writes, entry: AuditEntry): Promise<void> {
  await advisoryLock(writes, ADVISORY_LOCKS.audit);
  const last = await writes.selectFrom('audit').select(['sequence', 'hash']).orderBy('sequence', 'desc').limit(1).executeTakeFirst();
  const content = { ...entry, sequence: (last?.sequence ?? 0) + 1 };
  const previousHash = last?.hash ?? CHAIN_START;
  await writes
    .insertInto('audit')
    .values({
      sequence: content.sequence,
      at: content.at,
      actor: content.actor,
      action: content.action,
      subject: content.subject,
      outcome: content.outcome,
      source_address: content.sourceAddress,
      detail: canonicalJson(content.detail),
      previous_hash: previousHash,
      hash: auditHash(previousHash, content),
    })
    .execute();
}

/** Newest first; `before` is the sequence of the last record already seen. */
export function listAudit(rows: Rows, limit: number, before: number | undefined) {
  return rows
    .selectFrom('audit')
    .selectAll()
    .$if(before !== undefined, (query) => query.where('sequence', '<', before as number))
    .orderBy('sequence', 'desc')
    .limit(limit)
    .execute();
}
