import type { Rows, Writes } from '../database/database.ts';
import { appendAudit } from './store.ts';

/** What can be audited; a closed list, so that reports can rely on it. */
export type AuditAction =
  | 'sign_in'
  | 'sign_out'
  | 'principal.create'
  | 'access_token.create'
  | 'access_token.revoke'
  | 'enrollment_token.create'
  | 'enrollment_token.revoke'
  | 'enroll';

export interface AuditEvent {
  /** Id of who acted; absent when nobody proved to be anyone. */
  readonly actor?: string | undefined;
  readonly action: AuditAction;
  /** Id or name of what it was done to. */
  readonly subject?: string | undefined;
  readonly outcome: 'success' | 'failure';
  readonly sourceAddress: string;
  /** Never a secret. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface Audit {
  /** In a transaction, as its last write: the record stands or falls with what it tells of. */
  record(writes: Writes, event: AuditEvent): Promise<void>;
  /** By itself, for what changed nothing else. */
  recordAlone(event: AuditEvent): Promise<void>;
}

export function createAudit(rows: Rows, now: () => Date): Audit {
  async function record(writes: Writes, event: AuditEvent): Promise<void> {
    await appendAudit(writes, {
      at: now(),
      actor: event.actor ?? null,
      action: event.action,
      subject: event.subject === undefined ? null : storable(event.subject),
      outcome: event.outcome,
      sourceAddress: storable(event.sourceAddress),
      detail: event.detail ?? {},
    });
  }
  return { record, recordAlone: (event) => rows.transaction().execute((writes) => record(writes, event)) };
}

const MAX_TEXT_CHARACTERS = 256;

// A subject may be what a stranger typed: PostgreSQL refuses NUL and lone surrogates, readers of logs refuse control characters.
function storable(text: string): string {
  return text
    .slice(0, MAX_TEXT_CHARACTERS)
    .toWellFormed()
    .replace(/\p{Cc}/gu, '\ufffd');
}
