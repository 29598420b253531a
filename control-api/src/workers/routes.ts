import { Type } from 'typebox';
import type { GatewaysOptions } from '../gateways/rules.ts';
import type { ApiInstance } from '../http/api-instance.ts';
import type { CallerGuard } from '../http/caller.ts';
import { BEARER, GATEWAY_CERTIFICATE, WORKER_CERTIFICATE } from '../http/openapi.ts';
import { nextCursorOf, readPage } from '../http/page.ts';
import type { PeerGuard } from '../http/peer.ts';
import { GatewayAddressSchema, IdParams, LabelsSchema, listOf, NextCursor, PageQuery, problems, Timestamp } from '../http/schemas.ts';
import { readAdmission, readWorkerSelf, requireWorker, type WorkerPresence, withPresence } from './rules.ts';
import { listWorkers } from './store.ts';

const WorkerView = Type.Object({
  id: Type.String({ description: '`wkr_…`' }),
  name: Type.String(),
  pool: Type.String(),
  labels: LabelsSchema,
  state: Type.Enum(['active', 'revoked']),
  online: Type.Boolean({ description: 'A gateway holds a tunnel of it now' }),
  createdAt: Timestamp,
  credentialNotAfter: Timestamp,
  tunnels: listOf(
    Type.Object({
      tunnelId: Type.String(),
      gatewayId: Type.String(),
      bootId: Type.String(),
      version: Type.String(),
      connectedAt: Timestamp,
      catalogs: listOf(Type.String()),
    }),
  ),
});

const AdmissionView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  pool: Type.String(),
  labels: LabelsSchema,
  state: Type.Enum(['active', 'revoked']),
});

const WorkerSelfView = Type.Object({
  id: Type.String(),
  name: Type.String(),
  pool: Type.String(),
  labels: LabelsSchema,
  gateways: listOf(GatewayAddressSchema),
});

export interface WorkerRoutesDependencies {
  readonly gateways: GatewaysOptions;
  readonly caller: CallerGuard;
  readonly gateway: PeerGuard;
  readonly worker: PeerGuard;
}

export function workerRoutes(app: ApiInstance, { gateways, caller, gateway, worker }: WorkerRoutesDependencies): void {
  app.route({
    method: 'GET',
    url: '/v1/workers',
    schema: {
      operationId: 'listWorkers',
      summary: 'Active workers by name, with their state',
      tags: ['workers'],
      security: BEARER,
      querystring: PageQuery,
      response: { 200: Type.Object({ workers: listOf(WorkerView), nextCursor: NextCursor }), ...problems(400, 401, 429, 503) },
    },
    onRequest: caller.bearer,
    handler: async (request) => {
      const page = await readPage(
        request.query,
        (limit) => listWorkers(gateways.rows, limit, request.query.cursor),
        (row) => row.name,
      );
      return { workers: (await withPresence(gateways, page.rows)).map(viewOf), ...nextCursorOf(page) };
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/workers/:id',
    schema: {
      operationId: 'readWorker',
      summary: 'One worker, with its state',
      tags: ['workers'],
      security: BEARER,
      params: IdParams,
      response: { 200: WorkerView, ...problems(400, 401, 404, 429, 503) },
    },
    onRequest: caller.bearer,
    handler: async (request) => {
      const [presence] = await withPresence(gateways, [await requireWorker(gateways.rows, request.params.id)]);
      return viewOf(presence as WorkerPresence);
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/gateway/workers/:id',
    schema: {
      operationId: 'readAdmission',
      summary: 'May the tunnel of this worker be admitted, and into which pool?',
      tags: ['gateway'],
      security: GATEWAY_CERTIFICATE,
      params: IdParams,
      response: { 200: AdmissionView, ...problems(400, 401, 403, 404, 503) },
    },
    onRequest: gateway.require,
    handler: (request) => readAdmission(gateways, request.params.id),
  });

  app.route({
    method: 'GET',
    url: '/v1/worker/self',
    schema: {
      operationId: 'readWorkerSelf',
      summary: 'A worker asks who it is and which gateways to dial',
      tags: ['worker'],
      security: WORKER_CERTIFICATE,
      response: { 200: WorkerSelfView, ...problems(401, 403, 404, 503) },
    },
    onRequest: worker.require,
    handler: (request) => readWorkerSelf(gateways, worker.idOf(request)),
  });
}

function viewOf({ worker, tunnels }: WorkerPresence) {
  return {
    id: worker.id,
    name: worker.name,
    pool: worker.pool,
    labels: worker.labels,
    state: worker.state,
    online: worker.state === 'active' && tunnels.length > 0,
    createdAt: worker.created_at.toISOString(),
    credentialNotAfter: worker.credential_not_after.toISOString(),
    tunnels: tunnels.map((tunnel) => ({
      tunnelId: tunnel.tunnel_id,
      gatewayId: tunnel.gateway_id,
      bootId: tunnel.boot_id,
      version: tunnel.version,
      connectedAt: tunnel.connected_at.toISOString(),
      catalogs: tunnel.catalogs,
    })),
  };
}
