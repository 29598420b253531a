/** The worker's gRPC server and engine behind a listener of its own instead of a tunnel: what the way through the mesh is compared with. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureServer, createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PRINCIPAL_HEADER, SESSION_HEADER } from '@jetbridge/proto/headers';
import { newId } from '@jetbridge/proto/ids';
import { prepareCatalog } from '@jetbridge/worker/catalog/prepare-catalog';
import { sizeThreadPool } from '@jetbridge/worker/config';
import { openDuckDb } from '@jetbridge/worker/engine/duckdb-engine';
import { GrpcServer } from '@jetbridge/worker/flight/server';
import { flightHandlers } from '@jetbridge/worker/flight/service';
import { Tickets } from '@jetbridge/worker/flight/tickets';
import { HEAD_START_LIMITS, STREAM_WINDOW_BYTES, TUNNEL_STREAMS_MAX, TUNNEL_WINDOW_BYTES } from '@jetbridge/worker/limits';
import { Executor } from '@jetbridge/worker/query/executor';
import { HeadStarts } from '@jetbridge/worker/query/head-starts';
import { Sessions } from '@jetbridge/worker/query/sessions';
import { Statements } from '@jetbridge/worker/query/statements';
import { createLogger, createMetrics } from '@jetbridge/worker/telemetry';

sizeThreadPool();

const { values } = parseArgs({
  options: {
    directory: { type: 'string' },
    source: { type: 'string' },
    certificate: { type: 'string' },
    key: { type: 'string' },
  },
});
const { directory = '.', source } = values;
const log = createLogger('silent');
const engine = await openDuckDb({
  path: join(directory, 'files.duckdb'),
  // The worker's own defaults.
  memoryLimitBytes: totalmem() / 4,
  threads: availableParallelism(),
  tempDirectory: join(directory, 'spill'),
});
await prepareCatalog({ catalog: 'files', sourceDirectory: source, dataDirectory: directory }, engine, log);
const executor = new Executor(() => performance.now());
const nowMs = (): number => Date.now();
const sessions = new Sessions({ engine, executor, defaultLocation: { catalog: 'files', schema: 'main' }, nowMs });
const metrics = createMetrics();
const statements = new Statements(executor, sessions.budget);
const context = {
  sessions,
  statements,
  headStarts: new HeadStarts(statements, HEAD_START_LIMITS),
  tickets: new Tickets({ workerId: newId('wkr'), key: randomBytes(32), nowMs, randomBytes }),
  metrics,
};
const grpc = new GrpcServer({ handlers: flightHandlers(context), log, metrics });

/** One principal and one session for each connection: what a gateway would say of its client. */
function serveSession(session: ServerHttp2Session): void {
  const principal = newId('prn');
  const flightSession = newId('ses');
  session.on('error', () => session.destroy());
  session.setLocalWindowSize(TUNNEL_WINDOW_BYTES);
  session.on('stream', (stream, headers: IncomingHttpHeaders) => {
    void grpc.serve(stream, { ...headers, [PRINCIPAL_HEADER]: principal, [SESSION_HEADER]: flightSession });
  });
}

const settings = { initialWindowSize: STREAM_WINDOW_BYTES, maxConcurrentStreams: TUNNEL_STREAMS_MAX, enablePush: false };
const server: Http2Server =
  values.certificate === undefined || values.key === undefined
    ? createServer({ settings })
    : createSecureServer({ settings, cert: readFileSync(values.certificate), key: readFileSync(values.key), minVersion: 'TLSv1.3' });
server.on('session', serveSession);
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
