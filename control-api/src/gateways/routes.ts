import { Type } from 'typebox';
import type { ApiInstance } from '../http/api-instance.ts';
import type { CallerGuard } from '../http/caller.ts';
import { BEARER, GATEWAY_CERTIFICATE } from '../http/openapi.ts';
import { nextCursorOf, readPage } from '../http/page.ts';
import type { PeerGuard } from '../http/peer.ts';
import { closedObject, hostAndPort, listOf, NextCursor, NoContent, PageQuery, plainText, problems, Timestamp } from '../http/schemas.ts';
import { MAX_CATALOGS_PER_TUNNEL, MAX_TUNNELS_BODY_BYTES, MAX_TUNNELS_PER_GATEWAY } from '../limits.ts';
import { type GatewaysOptions, isAlive, reportGateway, reportTunnels } from './rules.ts';
import { listGateways, type StoredGateway } from './store.ts';

const GatewayView = Type.Object({
  id: Type.String({ description: '`gtw_…`' }),
  name: Type.String(),
  alive: Type.Boolean({ description: 'It reported within 25 seconds' }),
  tunnelAddress: Type.Optional(Type.String()),
  flightAddress: Type.Optional(Type.String()),
  version: Type.Optional(Type.String()),
  tunnels: Type.Integer({ description: 'Tunnels in its last report' }),
  createdAt: Timestamp,
  reportedAt: Type.Optional(Timestamp),
  credentialNotAfter: Timestamp,
});

const GatewayReportBody = closedObject({
  tunnelAddress: hostAndPort('Where workers reach it'),
  flightAddress: hostAndPort('Where clients reach it'),
  version: plainText(64, 'Version of the gateway'),
});

const TunnelReportSchema = closedObject({
  tunnelId: Type.String({ pattern: '^tun_[0-9a-z]{26}$' }),
  workerId: Type.String({ pattern: '^wkr_[0-9a-z]{26}$' }),
  bootId: plainText(64, 'Changes when the worker restarts'),
  version: plainText(64, 'Version of the worker'),
  connectedAt: Timestamp,
  catalogs: listOf(plainText(255, 'Name of a catalog'), { maxItems: MAX_CATALOGS_PER_TUNNEL }),
});

const TunnelsReportBody = closedObject({ tunnels: listOf(TunnelReportSchema, { maxItems: MAX_TUNNELS_PER_GATEWAY }) });

export interface GatewayRoutesDependencies {
  readonly gateways: GatewaysOptions;
  readonly caller: CallerGuard;
  readonly gateway: PeerGuard;
}

export function gatewayRoutes(app: ApiInstance, { gateways, caller, gateway }: GatewayRoutesDependencies): void {
  app.route({
    method: 'GET',
    url: '/v1/gateways',
    schema: {
      operationId: 'listGateways',
      summary: 'Active gateways by name',
      tags: ['gateways'],
      security: BEARER,
      querystring: PageQuery,
      response: { 200: Type.Object({ gateways: listOf(GatewayView), nextCursor: NextCursor }), ...problems(400, 401, 429, 503) },
    },
    onRequest: caller.bearer,
    handler: async (request) => {
      const page = await readPage(
        request.query,
        (limit) => listGateways(gateways.rows, limit, request.query.cursor),
        (row) => row.name,
      );
      return { gateways: page.rows.map((row) => viewOf(row, gateways.now())), ...nextCursorOf(page) };
    },
  });

  app.route({
    method: 'PUT',
    url: '/v1/gateway/self',
    schema: {
      operationId: 'reportGateway',
      summary: 'A gateway says where it is reached',
      tags: ['gateway'],
      security: GATEWAY_CERTIFICATE,
      body: GatewayReportBody,
      response: { 204: NoContent, ...problems(400, 401, 403, 503) },
    },
    onRequest: gateway.require,
    handler: async (request, reply) => {
      await reportGateway(gateways, gateway.idOf(request), request.body);
      return reply.code(204).send(null);
    },
  });

  app.route({
    method: 'PUT',
    url: '/v1/gateway/tunnels',
    bodyLimit: MAX_TUNNELS_BODY_BYTES,
    schema: {
      operationId: 'reportTunnels',
      summary: 'A gateway says which tunnels it holds now: all of them, on each change and every 10 seconds',
      tags: ['gateway'],
      security: GATEWAY_CERTIFICATE,
      body: TunnelsReportBody,
      response: { 204: NoContent, ...problems(400, 401, 403, 503) },
    },
    onRequest: gateway.require,
    handler: async (request, reply) => {
      await reportTunnels(gateways, gateway.idOf(request), request.body.tunnels);
      return reply.code(204).send(null);
    },
  });
}

function viewOf(row: StoredGateway & { readonly tunnel_count: number | null }, now: Date) {
  return {
    id: row.id,
    name: row.name,
    alive: isAlive(row, now),
    ...(row.tunnel_address === null ? {} : { tunnelAddress: row.tunnel_address }),
    ...(row.flight_address === null ? {} : { flightAddress: row.flight_address }),
    ...(row.version === null ? {} : { version: row.version }),
    tunnels: row.tunnel_count ?? 0,
    createdAt: row.created_at.toISOString(),
    ...(row.reported_at === null ? {} : { reportedAt: row.reported_at.toISOString() }),
    credentialNotAfter: row.credential_not_after.toISOString(),
  };
}
