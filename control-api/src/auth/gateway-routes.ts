import type { AuthenticateReply, AuthenticateRequest } from '@jetbridge/proto/control';
import type { FastifyRequest } from 'fastify';
import type { ApiInstance } from '../http/api-instance.ts';
import { GATEWAY_CERTIFICATE } from '../http/openapi.ts';
import type { PeerGuard } from '../http/peer.ts';
import { problems } from '../http/schemas.ts';
import { AuthenticateAnswer, AuthenticateBody, OpenSessionAnswer, OpenSessionBody } from './schemas.ts';
import type { SignIn } from './sign-in.ts';
import type { Tokens } from './tokens.ts';

export interface GatewayAuthDependencies {
  readonly signIn: SignIn;
  readonly tokens: Tokens;
  readonly gateway: PeerGuard;
}

/** What gateways ask about the callers that come to them. */
export function gatewayAuthRoutes(app: ApiInstance, { signIn, tokens, gateway }: GatewayAuthDependencies): void {
  app.route({
    method: 'POST',
    url: '/v1/gateway/authenticate',
    schema: {
      operationId: 'authenticateCaller',
      summary: 'Who holds this password or access token?',
      tags: ['gateway'],
      security: GATEWAY_CERTIFICATE,
      body: AuthenticateBody,
      response: { 200: AuthenticateAnswer, ...problems(400, 401, 403, 429, 503) },
    },
    onRequest: gateway.require,
    handler: (request) => authenticate(request, request.body),
  });

  app.route({
    method: 'POST',
    url: '/v1/gateway/sessions',
    schema: {
      operationId: 'openFlightSession',
      summary: 'Open a session for a Flight handshake',
      tags: ['gateway'],
      security: GATEWAY_CERTIFICATE,
      body: OpenSessionBody,
      response: { 200: OpenSessionAnswer, ...problems(400, 401, 403, 429, 503) },
    },
    onRequest: gateway.require,
    handler: async (request) => {
      const { username, password, clientAddress } = request.body;
      const session = await signIn.openSession({ username, password, sourceAddress: clientAddress });
      return { ...session, expiresAt: session.expiresAt.toISOString() };
    },
  });

  async function authenticate(
    request: FastifyRequest,
    body: AuthenticateRequest & { readonly clientAddress?: string },
  ): Promise<AuthenticateReply> {
    if (body.bearer === undefined) {
      return await signIn.authenticate({ ...body.basic, sourceAddress: body.clientAddress ?? request.ip });
    }
    const { principal, expiresAt, sessionId } = await tokens.verify(body.bearer);
    return { principal, expiresAt: expiresAt.toISOString(), ...(sessionId === undefined ? {} : { sessionId }) };
  }
}
