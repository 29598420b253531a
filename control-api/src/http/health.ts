import { StatusError } from '@jetbridge/proto/status-error';
import { sql } from 'kysely';
import { Type } from 'typebox';
import type { Rows } from '../database/database.ts';
import type { Metrics } from '../telemetry.ts';
import type { ApiInstance } from './api-instance.ts';
import { problems } from './schemas.ts';

const Status = Type.Object({ status: Type.Enum(['ok']) });

export interface HealthDependencies {
  readonly rows: Rows;
  readonly metrics: Metrics;
}

/** The server is made after the authority is open, so answering at all says that it is. */
export function healthRoutes(app: ApiInstance, { rows, metrics }: HealthDependencies): void {
  app.route({
    method: 'GET',
    url: '/healthz',
    config: { rateLimit: false },
    schema: { operationId: 'checkHealth', summary: 'The process is alive', tags: ['operations'], response: { 200: Status } },
    handler: () => Promise.resolve({ status: 'ok' as const }),
  });

  app.route({
    method: 'GET',
    url: '/readyz',
    config: { rateLimit: false },
    schema: {
      operationId: 'checkReadiness',
      summary: 'The database answers and the authority is open',
      tags: ['operations'],
      response: { 200: Status, ...problems(503) },
    },
    handler: async () => {
      await sql`select 1`.execute(rows).catch((cause: unknown) => {
        throw new StatusError('unavailable', 'the database does not answer', { cause });
      });
      return { status: 'ok' as const };
    },
  });

  app.route({
    method: 'GET',
    url: '/metrics',
    config: { rateLimit: false },
    schema: {
      operationId: 'readMetrics',
      summary: 'Metrics in the text format of Prometheus',
      tags: ['operations'],
      response: { 200: { description: 'Metrics', content: { 'text/plain': { schema: Type.String() } } } },
    },
    handler: async (_request, reply) =>
      reply
        .type(metrics.registry.contentType)
        .serializer(String)
        .send(await metrics.registry.metrics()),
  });
}
