import { createHash } from 'node:crypto';

/** What one audit record says; the hash covers all of it. */
export interface AuditContent {
  readonly sequence: number;
  readonly at: Date;
  readonly actor: string | null;
  readonly action: string;
  readonly subject: string | null;
  readonly outcome: 'success' | 'failure';
  readonly sourceAddress: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** The previous hash of the first record. */
export const CHAIN_START = '0'.repeat(64);

/** SHA-256(previous hash ‖ canonical JSON), hex: a record cannot be changed, removed or put in without changing all that follow. */
export function auditHash(previousHash: string, content: AuditContent): string {
  return createHash('sha256')
    .update(Buffer.from(previousHash, 'hex'))
    .update(canonicalJson({ ...content, at: content.at.toISOString() }), 'utf8')
    .digest('hex');
}

/** JSON with one spelling: sorted keys, no spaces, members that are undefined left out (RFC 8785). */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    members.sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
