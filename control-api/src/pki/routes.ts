import type { Authority } from '@jetbridge/pki/authority/authority';
import { Type } from 'typebox';
import type { ApiInstance } from '../http/api-instance.ts';
import { listOf, problems } from '../http/schemas.ts';

const Bundle = Type.Object({
  bundlePem: Type.String({ description: 'Root certificates' }),
  rootPins: listOf(Type.String({ description: "Hex SHA-256 of a root's public key" })),
});

export function pkiRoutes(app: ApiInstance, { authority }: { readonly authority: Authority }): void {
  app.route({
    method: 'GET',
    url: '/v1/pki/bundle',
    schema: {
      operationId: 'readTrustBundle',
      summary: 'The root certificates; believe them only if an enrollment token or an operator confirms the pin',
      tags: ['enrollment'],
      response: { 200: Bundle, ...problems(429) },
    },
    handler: () => Promise.resolve({ bundlePem: authority.bundlePem, rootPins: [authority.rootPin] }),
  });
}
