import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { ApiInstance } from '../http/api-instance.ts';
import type { CallerGuard } from '../http/caller.ts';
import { BEARER } from '../http/openapi.ts';
import { formatTimeCursor, nextCursorOf, parseTimeCursor, readPage } from '../http/page.ts';
import { IdParams, listOf, NextCursor, NoContent, PageQuery, PrincipalSchema, problems, Timestamp } from '../http/schemas.ts';
import { createPrincipal, type PrincipalsOptions } from './principals.ts';
import { NewPrincipalBody, NewTokenBody, SignInAnswer, SignInBody, TokenView } from './schemas.ts';
import type { SignIn } from './sign-in.ts';
import { listNamedTokens, listPrincipals, principalOf, type StoredAccessToken } from './store.ts';
import type { Tokens } from './tokens.ts';

export interface AuthRoutesDependencies {
  readonly principals: PrincipalsOptions;
  readonly signIn: SignIn;
  readonly tokens: Tokens;
  readonly caller: CallerGuard;
}

/** What people and programs use to prove who they are. */
export function authRoutes(app: ApiInstance, dependencies: AuthRoutesDependencies): void {
  signInRoutes(app, dependencies);
  principalRoutes(app, dependencies);
  tokenRoutes(app, dependencies);
}

function signInRoutes(app: ApiInstance, { signIn, tokens, caller }: AuthRoutesDependencies): void {
  app.route({
    method: 'POST',
    url: '/v1/sign-in',
    schema: {
      operationId: 'signIn',
      summary: 'Exchange a user name and a password for an access token of 12 hours',
      tags: ['auth'],
      body: SignInBody,
      response: { 200: SignInAnswer, ...problems(400, 401, 429, 503) },
    },
    handler: async (request) => {
      const session = await signIn.openSession({ ...request.body, sourceAddress: request.ip });
      return { accessToken: session.accessToken, expiresAt: session.expiresAt.toISOString(), principal: session.principal };
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/sign-out',
    schema: {
      operationId: 'signOut',
      summary: 'End the session of the access token that is shown',
      tags: ['auth'],
      security: BEARER,
      response: { 204: NoContent, ...problems(401, 412, 429, 503) },
    },
    onRequest: caller.bearer,
    handler: async (request, reply) => {
      await tokens.signOut(caller.callerOf(request), request.ip);
      return reply.code(204).send(null);
    },
  });
}

function principalRoutes(app: ApiInstance, { principals, caller }: AuthRoutesDependencies): void {
  app.route({
    method: 'GET',
    url: '/v1/principals/self',
    schema: {
      operationId: 'readOwnPrincipal',
      summary: 'The principal of the access token that is shown',
      tags: ['auth'],
      security: BEARER,
      response: { 200: PrincipalSchema, ...problems(401, 429, 503) },
    },
    onRequest: caller.bearer,
    handler: (request) => Promise.resolve(caller.callerOf(request).principal),
  });

  app.route({
    method: 'GET',
    url: '/v1/principals',
    schema: {
      operationId: 'listPrincipals',
      summary: 'People and service accounts by name',
      tags: ['auth'],
      security: BEARER,
      querystring: PageQuery,
      response: { 200: Type.Object({ principals: listOf(PrincipalSchema), nextCursor: NextCursor }), ...problems(400, 401, 403, 429, 503) },
    },
    onRequest: caller.admin,
    handler: async (request) => {
      const page = await readPage(
        request.query,
        (limit) => listPrincipals(principals.rows, limit, request.query.cursor),
        (row) => row.name,
      );
      return { principals: page.rows.map((row) => principalOf(row)), ...nextCursorOf(page) };
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/principals',
    schema: {
      operationId: 'createPrincipal',
      summary: 'Create a person or a service account',
      tags: ['auth'],
      security: BEARER,
      body: NewPrincipalBody,
      response: { 201: PrincipalSchema, ...problems(400, 401, 403, 409, 429, 503) },
    },
    onRequest: caller.admin,
    handler: async (request, reply) => {
      const principal = await createPrincipal(principals, caller.callerOf(request).principal, request.body, request.ip);
      return reply.code(201).send(principal);
    },
  });
}

function tokenRoutes(app: ApiInstance, { principals, tokens, caller }: AuthRoutesDependencies): void {
  app.route({
    method: 'GET',
    url: '/v1/access-tokens',
    schema: {
      operationId: 'listAccessTokens',
      summary: "Named access tokens, newest first: one's own, or as admin everybody's",
      tags: ['auth'],
      security: BEARER,
      querystring: PageQuery,
      response: { 200: Type.Object({ accessTokens: listOf(TokenView), nextCursor: NextCursor }), ...problems(400, 401, 429, 503) },
    },
    onRequest: caller.bearer,
    handler: async (request) => {
      const after = parseTimeCursor(request.query.cursor);
      const page = await readPage(
        request.query,
        (limit) => listNamedTokens(principals.rows, ownerFilter(caller, request), limit, after),
        (row) => formatTimeCursor(row.created_at, row.id),
      );
      return { accessTokens: page.rows.map(tokenView), ...nextCursorOf(page) };
    },
  });

  app.route({
    method: 'POST',
    url: '/v1/access-tokens',
    schema: {
      operationId: 'createAccessToken',
      summary: 'Create a named access token; the answer is the only place where it is shown',
      tags: ['auth'],
      security: BEARER,
      body: NewTokenBody,
      response: {
        201: Type.Object({ id: Type.String(), accessToken: Type.String({ description: '`jba_…`, shown once' }), expiresAt: Timestamp }),
        ...problems(400, 401, 403, 404, 412, 429, 503),
      },
    },
    onRequest: caller.bearer,
    handler: async (request, reply) => {
      const { name, ttlS, principalId } = request.body;
      const ttlMs = ttlS === undefined ? undefined : ttlS * 1000;
      const created = await tokens.create(caller.callerOf(request).principal, { name, ttlMs, principalId }, request.ip);
      return reply.code(201).send({ ...created, expiresAt: created.expiresAt.toISOString() });
    },
  });

  app.route({
    method: 'DELETE',
    url: '/v1/access-tokens/:id',
    schema: {
      operationId: 'deleteAccessToken',
      summary: 'Revoke an access token and the sessions opened with it, now',
      tags: ['auth'],
      security: BEARER,
      params: IdParams,
      response: { 204: NoContent, ...problems(400, 401, 404, 429, 503) },
    },
    onRequest: caller.bearer,
    handler: async (request, reply) => {
      await tokens.revoke(caller.callerOf(request).principal, request.params.id, request.ip);
      return reply.code(204).send(null);
    },
  });
}

function ownerFilter(caller: CallerGuard, request: FastifyRequest): string | undefined {
  const { principal } = caller.callerOf(request);
  return principal.roles.includes('admin') ? undefined : principal.id;
}

function tokenView(row: StoredAccessToken) {
  return {
    id: row.id,
    principalId: row.principal_id,
    name: row.name ?? '',
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    ...(row.last_used_at === null ? {} : { lastUsedAt: row.last_used_at.toISOString() }),
    ...(row.revoked_at === null ? {} : { revokedAt: row.revoked_at.toISOString() }),
  };
}
