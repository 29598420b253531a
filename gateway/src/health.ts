import { createServer, type Server, type ServerResponse } from 'node:http';
import type { HealthLimits } from './limits.ts';
import type { Metrics } from './telemetry.ts';

export interface HealthOptions {
  readonly metrics: Metrics;
  /** Why this gateway should get no new clients; undefined when it should. */
  readonly notReady: () => string | undefined;
  readonly limits: HealthLimits;
}

/** Plain HTTP for probes and Prometheus: /healthz, /readyz and /metrics. */
export function createHealthServer({ metrics, notReady, limits }: HealthOptions): Server {
  const server = createServer({ requestTimeout: limits.requestTimeoutMs, headersTimeout: limits.requestTimeoutMs }, (request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      answer(response, 405, 'only GET is answered here');
    } else if (path === '/healthz') {
      answer(response, 200, 'ok');
    } else if (path === '/readyz') {
      const reason = notReady();
      answer(response, reason === undefined ? 200 : 503, reason ?? 'ok');
    } else if (path === '/metrics') {
      void metrics.registry.metrics().then(
        (text) => answer(response, 200, text, metrics.registry.contentType),
        () => answer(response, 500, 'the metrics could not be read'),
      );
    } else {
      answer(response, 404, 'there are /healthz, /readyz and /metrics');
    }
  });
  server.maxConnections = limits.connections;
  return server;
}

function answer(response: ServerResponse, status: number, text: string, contentType = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
  response.end(text);
}
