import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import { StatusError } from '@jetbridge/proto/status-error';
import { type FastifyBaseLogger, type FastifyRequest, fastify, LogController } from 'fastify';
import {
  KEEP_ALIVE_TIMEOUT_MS,
  MAX_BODY_BYTES,
  MAX_RATE_LIMIT_KEYS,
  MAX_SOCKETS,
  REQUEST_TIMEOUT_MS,
  REQUESTS_PER_ADDRESS_PER_MINUTE,
} from '../limits.ts';
import type { Logger, Metrics } from '../telemetry.ts';
import type { ApiInstance } from './api-instance.ts';
import { describeApi, serveDocs } from './openapi.ts';
import { answerBrokenHttp, answerError, answerWithProblems } from './problems.ts';

export interface ServerDependencies {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Without it the server speaks plain HTTP, which only `inject` should see. */
  readonly tls?: ServerOptions;
  /** Registers the routes of all folders. */
  readonly routes: (app: ApiInstance) => void;
}

/** The HTTP server with everything that all routes share. The caller listens, injects and closes. */
export async function createServer({ logger, metrics, tls, routes }: ServerDependencies): Promise<ApiInstance> {
  const app: ApiInstance = fastify<Server, IncomingMessage, ServerResponse, FastifyBaseLogger>({
    loggerInstance: logger as FastifyBaseLogger,
    // A line of our own says the same without the URL, see `observe`.
    logController: new LogController({ disableRequestLogging: true }),
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
    clientErrorHandler: answerBrokenHttp,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // On stop, idle connections are closed and requests under way are finished.
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    ...(tls === undefined ? {} : { serverFactory: (handler) => httpsServer(tls, handler) }),
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  observe(app, metrics);
  answerWithProblems(app);
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    // The API shares its host name with whatever else runs there, on localhost above all; nothing here speaks plain HTTP anyway.
    strictTransportSecurity: false,
  });
  await app.register(rateLimit, {
    max: REQUESTS_PER_ADDRESS_PER_MINUTE,
    timeWindow: '1 minute',
    cache: MAX_RATE_LIMIT_KEYS,
    allowList: isPeer,
    errorResponseBuilder: (_request, { ttl }) =>
      new StatusError('resource_exhausted', 'too many requests from this address; slow down', { retryAfterMs: ttl }),
  });
  await describeApi(app);
  await app.register((api, _options, done) => {
    routes(api.withTypeProvider<TypeBoxTypeProvider>() as ApiInstance);
    done();
  });
  await serveDocs(app);
  await app.ready();
  return app;
}

function httpsServer(tls: ServerOptions, handler: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const server = createHttpsServer({ ...tls, requestTimeout: REQUEST_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS }, handler);
  server.maxConnections = MAX_SOCKETS;
  return server;
}

/** Gateways and workers speak for many people; their certificate was verified in the handshake. */
function isPeer(request: FastifyRequest): boolean {
  const { socket } = request.raw;
  return 'authorized' in socket && socket.authorized === true;
}

function observe(app: ApiInstance, metrics: Metrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    // The route, not the URL: a closed set for metrics, and no ids in logs.
    const route = request.routeOptions.url ?? 'none';
    const { method } = request;
    metrics.httpDuration.observe({ method, route, status: reply.statusCode }, reply.elapsedTime / 1000);
    request.log.debug(
      { method, route, status: reply.statusCode, durationMs: Math.round(reply.elapsedTime), sourceAddress: request.ip },
      'request answered',
    );
    done();
  });
}
