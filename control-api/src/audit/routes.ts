import { Type } from 'typebox';
import type { Rows } from '../database/database.ts';
import type { ApiInstance } from '../http/api-instance.ts';
import type { CallerGuard } from '../http/caller.ts';
import { BEARER } from '../http/openapi.ts';
import { nextCursorOf, parseSequenceCursor, readPage } from '../http/page.ts';
import { listOf, NextCursor, PageQuery, problems, Timestamp } from '../http/schemas.ts';
import { listAudit } from './store.ts';

const AuditRecord = Type.Object({
  sequence: Type.Integer(),
  at: Timestamp,
  actor: Type.Union([Type.String(), Type.Null()], { description: 'Id of who acted, null if nobody proved to be anyone' }),
  action: Type.String(),
  subject: Type.Union([Type.String(), Type.Null()]),
  outcome: Type.Enum(['success', 'failure']),
  sourceAddress: Type.String(),
  detail: Type.Record(Type.String(), Type.Unknown()),
  previousHash: Type.String(),
  hash: Type.String({ description: 'SHA-256 of the previous hash and this record as canonical JSON' }),
});

export function auditRoutes(app: ApiInstance, { rows, caller }: { readonly rows: Rows; readonly caller: CallerGuard }): void {
  app.route({
    method: 'GET',
    url: '/v1/audit',
    schema: {
      operationId: 'listAudit',
      summary: 'Audit records, newest first',
      tags: ['audit'],
      security: BEARER,
      querystring: PageQuery,
      response: { 200: Type.Object({ records: listOf(AuditRecord), nextCursor: NextCursor }), ...problems(400, 401, 403, 429, 503) },
    },
    onRequest: caller.admin,
    handler: async (request) => {
      const before = parseSequenceCursor(request.query.cursor);
      const page = await readPage(
        request.query,
        (limit) => listAudit(rows, limit, before),
        (row) => String(row.sequence),
      );
      const records = page.rows.map((row) => ({
        sequence: row.sequence,
        at: row.at.toISOString(),
        actor: row.actor,
        action: row.action,
        subject: row.subject,
        outcome: row.outcome,
        sourceAddress: row.source_address,
        detail: row.detail,
        previousHash: row.previous_hash,
        hash: row.hash,
      }));
      return { records, ...nextCursorOf(page) };
    },
  });
}
