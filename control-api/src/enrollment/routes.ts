import { Type } from 'typebox';
import type { ApiInstance } from '../http/api-instance.ts';
import type { CallerGuard } from '../http/caller.ts';
import { BEARER } from '../http/openapi.ts';
import { formatTimeCursor, nextCursorOf, parseTimeCursor, readPage } from '../http/page.ts';
import {
  closedObject,
  GatewayAddressSchema,
  hostAndPort,
  IdParams,
  LabelsSchema,
  listOf,
  NextCursor,
  NoContent,
  PageQuery,
  problems,
  resourceName,
  Timestamp,
} from '../http/schemas.ts';
import { MAX_ENROLL_BODY_BYTES, MAX_ENROLLMENT_TTL_MS, MAX_HOST_NAMES } from '../limits.ts';
import type { Enrollment } from './enroll.ts';
import { listEnrollmentTokens, type StoredEnrollmentToken } from './store.ts';
import { createEnrollmentToken, deleteEnrollmentToken, type EnrollmentTokensOptions } from './tokens.ts';

const Kind = Type.Enum(['worker', 'gateway']);
const DnsName = Type.String({
  maxLength: 253,
  pattern: '^(?!(.*\\.)?xn--)(?!(.*\\.)?[0-9]+$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$',
});

const EnrollBody = closedObject({
  token: Type.String({ minLength: 1, maxLength: 1024, description: '`jbe_…`' }),
  csr: Type.String({ minLength: 1, maxLength: MAX_ENROLL_BODY_BYTES, description: 'PKCS#10 in PEM, P-256; only its public key is read' }),
});

const EnrollAnswer = Type.Object({
  id: Type.String({ description: '`wkr_…` or `gtw_…`' }),
  name: Type.String(),
  kind: Type.Enum(['worker', 'gateway', 'control-api']),
  pool: Type.Optional(Type.String()),
  certificateChainPem: Type.String(),
  bundlePem: Type.String(),
  trustDomain: Type.String(),
  notAfter: Timestamp,
  renewAfter: Timestamp,
  gateways: listOf(GatewayAddressSchema),
});

const NewTokenBody = closedObject({
  kind: Kind,
  name: resourceName('Name of the worker or gateway'),
  pool: Type.Optional(resourceName('Pool of the worker; `default` without it')),
  labels: Type.Optional(LabelsSchema),
  dnsNames: Type.Optional(listOf(DnsName, { maxItems: MAX_HOST_NAMES, description: "Names in the gateway's certificate" })),
  ipAddresses: Type.Optional(
    listOf(Type.String({ minLength: 2, maxLength: 45 }), {
      maxItems: MAX_HOST_NAMES,
      description: "Addresses in the gateway's certificate",
    }),
  ),
  tunnelAddress: Type.Optional(hostAndPort('Where workers reach the gateway, until it says so itself')),
  ttlS: Type.Optional(
    Type.Integer({ minimum: 60, maximum: MAX_ENROLLMENT_TTL_MS / 1000, description: 'Seconds until it expires; one hour without it' }),
  ),
});

const TokenView = Type.Object({
  id: Type.String({ description: '`enr_…`' }),
  kind: Kind,
  name: Type.String(),
  pool: Type.Optional(Type.String()),
  labels: LabelsSchema,
  dnsNames: listOf(Type.String()),
  ipAddresses: listOf(Type.String()),
  tunnelAddress: Type.Optional(Type.String()),
  state: Type.Enum(['open', 'used', 'revoked', 'expired']),
  createdBy: Type.String(),
  createdAt: Timestamp,
  expiresAt: Timestamp,
});

export interface EnrollmentRoutesDependencies {
  readonly enrollment: Enrollment;
  readonly tokens: EnrollmentTokensOptions;
  readonly caller: CallerGuard;
}

export function enrollmentRoutes(app: ApiInstance, dependencies: EnrollmentRoutesDependencies): void {
  app.route({
    method: 'POST',
    url: '/v1/enroll',
    bodyLimit: MAX_ENROLL_BODY_BYTES,
    schema: {
      operationId: 'enroll',
      summary: 'Exchange a one-time token and a certificate request for a first credential',
      description: 'The same token with the same key within ten minutes gets the same answer, for a reply that was lost.',
      tags: ['enrollment'],
      body: EnrollBody,
      response: { 200: EnrollAnswer, ...problems(400, 401, 409, 429, 503) },
    },
    handler: (request) => dependencies.enrollment.enroll(request.body, request.ip),
  });
  tokenRoutes(app, dependencies);
}

function tokenRoutes(app: ApiInstance, { tokens, caller }: EnrollmentRoutesDependencies): void {
  app.route({
    method: 'GET',
    url: '/v1/enrollment-tokens',
    schema: {
      operationId: 'listEnrollmentTokens',
      summary: 'Enrollment tokens, newest first',
      tags: ['enrollment'],
      security: BEARER,
      querystring: PageQuery,
      response: { 200: Type.Object({ enrollmentTokens: listOf(TokenView), nextCursor: NextCursor }), ...problems(400, 401, 403, 429, 503) },
    },
    onRequest: caller.admin,
    handler: async (request) => {
      const after = parseTimeCursor(request.query.cursor);
      const page = await readPage(
        request.query,
        (limit) => listEnrollmentTokens(tokens.rows, limit, after),
        (row) => formatTimeCursor(row.created_at, row.id),
      );
      return { enrollmentTokens: page.rows.map((row) => viewOf(row, tokens.now())), ...nextCursorOf(page) };
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/enrollment-tokens',
    schema: {
      operationId: 'createEnrollmentToken',
      summary: 'Create a one-time token for one worker or gateway; the answer is the only place where it is shown',
      tags: ['enrollment'],
      security: BEARER,
      body: NewTokenBody,
      response: {
        201: Type.Object({ id: Type.String(), token: Type.String({ description: '`jbe_…`, shown once' }), expiresAt: Timestamp }),
        ...problems(400, 401, 403, 409, 412, 429, 503),
      },
    },
    onRequest: caller.admin,
    handler: async (request, reply) => {
      const created = await createEnrollmentToken(tokens, caller.callerOf(request).principal.id, request.body, request.ip);
      return reply.code(201).send({ ...created, expiresAt: created.expiresAt.toISOString() });
    },
  });

  app.route({
    method: 'DELETE',
    url: '/v1/enrollment-tokens/:id',
    schema: {
      operationId: 'deleteEnrollmentToken',
      summary: 'Take back an unused enrollment token',
      tags: ['enrollment'],
      security: BEARER,
      params: IdParams,
      response: { 204: NoContent, ...problems(400, 401, 403, 404, 412, 429, 503) },
    },
    onRequest: caller.admin,
    handler: async (request, reply) => {
      await deleteEnrollmentToken(tokens, caller.callerOf(request).principal.id, request.params.id, request.ip);
      return reply.code(204).send(null);
    },
  });
}

function viewOf(row: StoredEnrollmentToken, now: Date) {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    ...(row.pool === null ? {} : { pool: row.pool }),
    labels: row.labels,
    dnsNames: row.dns_names,
    ipAddresses: row.ip_addresses,
    ...(row.tunnel_address === null ? {} : { tunnelAddress: row.tunnel_address }),
    state: stateOf(row, now),
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
  };
}

function stateOf(row: StoredEnrollmentToken, now: Date): 'open' | 'used' | 'revoked' | 'expired' {
  if (row.used_at !== null) {
    return 'used';
  }
  if (row.revoked_at !== null) {
    return 'revoked';
  }
  return row.expires_at <= now ? 'expired' : 'open';
}
