import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { ListenAddress } from './config.ts';
import { PROBE_TIMEOUT_MS } from './limits.ts';

export interface Health {
  readonly registry: Registry;
  /** Why the worker cannot serve now, or undefined when it can. */
  readonly notReady: (signal: AbortSignal) => Promise<string | undefined>;
}

export interface HttpListener {
  /** `host:port` as bound. */
  readonly address: string;
  close(): Promise<void>;
}

/** Serves /healthz (the process answers), /readyz (it can run SQL for a gateway) and /metrics over plain HTTP. */
export async function listenHttp(listen: ListenAddress, health: Health): Promise<HttpListener> {
  const server = createServer((request, response) => {
    answer(request, response, health).catch((thrown: unknown) => response.destroy(thrown instanceof Error ? thrown : undefined));
  });
  await bind(server, listen);
  const { address, port, family } = server.address() as AddressInfo;
  return { address: family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`, close: () => closeServer(server) };
}

function bind(server: Server, listen: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new Error(`JETBRIDGE_HTTP_LISTEN: cannot listen on ${listen.host}:${listen.port}`, { cause })));
    server.listen(listen.port, listen.host, resolve);
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answer(request: IncomingMessage, response: ServerResponse, health: Health): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(response, 405, 'text/plain', 'only GET is served here\n');
    return;
  }
  switch (request.url?.split('?')[0]) {
    case '/healthz':
      send(response, 200, 'text/plain', 'ok\n');
      return;
    case '/readyz': {
      const reason = await health.notReady(AbortSignal.timeout(PROBE_TIMEOUT_MS));
      send(response, reason === undefined ? 200 : 503, 'text/plain', `${reason ?? 'ok'}\n`);
      return;
    }
    case '/metrics':
      send(response, 200, health.registry.contentType, await health.registry.metrics());
      return;
    default:
      send(response, 404, 'text/plain', 'served here: /healthz /readyz /metrics\n');
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type });
  response.end(body);
}
