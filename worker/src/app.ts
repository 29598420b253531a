import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credential } from '@jetbridge/pki/credential/credential';
import { randomBytes as nonceBytes } from '@jetbridge/proto/ids';
import { toStatusError } from '@jetbridge/proto/status-error';
import type { HelloReply } from '@jetbridge/proto/tunnel';
import { JETBRIDGE_VERSION } from '@jetbridge/proto/version';
import { prepareCatalog } from './catalog/prepare-catalog.ts';
import type { WorkerConfig } from './config.ts';
import { openDuckDb } from './engine/duckdb-engine.ts';
import type { Engine } from './engine/engine.ts';
import { obtainCredential } from './enrollment/credential.ts';
import { askControlApi, GatewayDirectory } from './enrollment/gateways.ts';
import type { FlightContext } from './flight/context.ts';
import { flightHandlers } from './flight/service.ts';
import { Tickets } from './flight/tickets.ts';
import { listenHttp } from './http.ts';
import { HEAD_START_LIMITS } from './limits.ts';
import { Executor } from './query/executor.ts';
import { HeadStarts } from './query/head-starts.ts';
import { selectTable } from './query/select.ts';
import { Sessions } from './query/sessions.ts';
import { Statements } from './query/statements.ts';
import { writeReadyFile } from './ready-file.ts';
import { runAll, stopped } from './run.ts';
import { createLogger, createMetrics, type Logger, type Metrics } from './telemetry.ts';
import { createDialer } from './tunnel/dialer.ts';
import { serveTunnel } from './tunnel/session.ts';
import { TunnelSupervisor } from './tunnel/supervisor.ts';

/** The whole worker: enrolls if it must, opens the engine, and serves gateways until the signal fires; then drains. */
export async function serveWorker(config: WorkerConfig, signal: AbortSignal): Promise<void> {
  const log = createLogger(config.logLevel);
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 });
  const credential = await obtainCredential({ ...config, log, now: () => new Date() }, signal);
  const engine = await openEngine(config);
  try {
    await serveEngine(config, credential, engine, log, signal);
  } finally {
    await engine.close();
    log.info('worker stopped');
  }
}

// The engine's own database has the catalog's name: tables made in it survive a restart.
async function openEngine(config: WorkerConfig): Promise<Engine> {
  const tempDirectory = join(config.dataDirectory, 'spill');
  await mkdir(tempDirectory, { recursive: true, mode: 0o700 });
  return openDuckDb({
    path: join(config.dataDirectory, `${config.catalog}.duckdb`),
    memoryLimitBytes: config.engineMemoryBytes,
    threads: config.engineThreads,
    tempDirectory,
    // Nothing is fetched from the network behind an operator's back.
    settings: { autoinstall_known_extensions: 'false', autoload_known_extensions: 'false', allow_community_extensions: 'false' },
  });
}

async function serveEngine(config: WorkerConfig, credential: Credential, engine: Engine, log: Logger, signal: AbortSignal): Promise<void> {
  const catalogs = await prepareCatalog(config, engine, log);
  const metrics = createMetrics();
  const workerId = credential.identity.id;
  const context = flightContext(config, engine, workerId, metrics);
  const directory = new GatewayDirectory({ ask: askControlApi(config.controlUrl, () => credential), log });
  const bootId = randomBytes(16).toString('hex');
  const hello = (): HelloReply => ({
    workerId,
    bootId,
    pool: directory.pool,
    version: JETBRIDGE_VERSION,
    catalogs,
    defaultCatalog: config.catalog,
  });
  const handlers = flightHandlers(context);
  const ready = Promise.withResolvers<void>();
  const supervisor = new TunnelSupervisor({
    source: directory,
    dial: createDialer(() => credential),
    serve: (socket, gateway, events, stop) => serveTunnel(socket, { gatewayId: gateway.id, hello, handlers, log, metrics }, events, stop),
    log,
    metrics,
    random: Math.random,
    ready: ready.resolve,
  });
  metrics.watch({
    tunnels: () => supervisor.serving,
    sessions: () => context.sessions.size,
    statementsRunning: () => context.statements.running,
  });
  const http = await listenHttp(config.httpListen, { registry: metrics.registry, notReady: readiness(engine, supervisor) });
  log.info({ workerId, catalogs, httpAddress: http.address }, 'worker starts');
  const announce = async (stop: AbortSignal): Promise<void> => {
    await Promise.race([ready.promise, stopped(stop)]);
    if (!stop.aborted && config.readyFile !== undefined) {
      await writeReadyFile(config.readyFile, { pid: process.pid, workerId, httpAddress: http.address });
    }
    await stopped(stop);
  };
  try {
    await runAll(signal, [
      (stop) => directory.run(stop),
      (stop) => supervisor.run(stop),
      (stop) => context.sessions.sweepUntil(stop),
      announce,
    ]);
  } finally {
    context.sessions.closeAll();
    await http.close();
  }
}

function flightContext(config: WorkerConfig, engine: Engine, workerId: string, metrics: Metrics): FlightContext {
  const executor = new Executor(() => performance.now());
  const nowMs = (): number => Date.now();
  const sessions = new Sessions({ engine, executor, defaultLocation: { catalog: config.catalog, schema: 'main' }, nowMs });
  const statements = new Statements(executor, sessions.budget);
  const tickets = new Tickets({ workerId, key: randomBytes(32), nowMs, randomBytes: nonceBytes });
  const headStarts = new HeadStarts(statements, HEAD_START_LIMITS);
  return { sessions, statements, headStarts, tickets, metrics };
}

// A worker is ready when it can run SQL and somebody can ask it to.
function readiness(engine: Engine, supervisor: TunnelSupervisor): (signal: AbortSignal) => Promise<string | undefined> {
  return async (signal) => {
    if (supervisor.serving === 0) {
      return 'no tunnel to a gateway is open';
    }
    const connection = await engine.connect();
    const onAbort = (): void => connection.interrupt();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await selectTable(connection, 'SELECT 1 AS probe');
      return undefined;
    } catch (thrown) {
      return `the engine does not answer: ${toStatusError(thrown).message}`;
    } finally {
      signal.removeEventListener('abort', onAbort);
      await connection.close();
    }
  };
}
