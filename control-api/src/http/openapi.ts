import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { JETBRIDGE_VERSION } from '@jetbridge/proto/version';
import type { ApiInstance } from './api-instance.ts';

/** For `security` of a route's schema. */
export const BEARER = [{ accessToken: [] }];
export const GATEWAY_CERTIFICATE = [{ gatewayCertificate: [] }];
export const WORKER_CERTIFICATE = [{ workerCertificate: [] }];

/** Collects the routes that follow into an OpenAPI 3.1 document. */
export async function describeApi(app: ApiInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Jetbridge control API',
        version: JETBRIDGE_VERSION,
        description: 'Principals, enrollment, workers, gateways and audit of one Jetbridge.',
      },
      components: {
        securitySchemes: {
          accessToken: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'jba_…',
            description: 'From POST /v1/sign-in or POST /v1/access-tokens',
          },
          gatewayCertificate: { type: 'mutualTLS', description: "A gateway's certificate from POST /v1/enroll" },
          workerCertificate: { type: 'mutualTLS', description: "A worker's certificate from POST /v1/enroll" },
        } as never,
      },
    },
  });
}

/** `/openapi.json` and, without any file from elsewhere, Swagger UI at `/docs`. */
export async function serveDocs(app: ApiInstance): Promise<void> {
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP:
      "default-src 'self'; base-uri 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; frame-ancestors 'none'",
    // Without this the page would send the document to a validator on the internet.
    uiConfig: { validatorUrl: null },
  });
}
