import { createSecretKey, randomBytes } from 'node:crypto';
import type { Server as HttpServer } from 'node:http';
import type { Server } from 'node:net';
import { join } from 'node:path';
import type { Credential } from '@jetbridge/pki/credential/credential';
import { toStatusError } from '@jetbridge/proto/status-error';
import { JETBRIDGE_VERSION } from '@jetbridge/proto/version';
import type { Logger } from 'pino';
import { type Config, isWildcard } from './config.ts';
import { CallerCache } from './control/caller-cache.ts';
import { gatewayCredential } from './control/enrollment.ts';
import { HttpControl } from './control/http-control.ts';
import type { Control } from './control/interface.ts';
import { keepTunnelsReported, registerGateway } from './control/reports.ts';
import { WaitingBytes } from './flight/first-message.ts';
import { FlightServer } from './flight/server.ts';
import { FlightService } from './flight/service.ts';
import { createHealthServer } from './health.ts';
import {
  CALLER_CACHE_LIMITS,
  CARRY_LIMITS,
  CLOSES_FORWARDED_MAX,
  CONTROL_LIMITS,
  FLIGHT_LIMITS,
  HEALTH_LIMITS,
  PRESENCE_LIMITS,
  RELAY_LIMITS,
  TUNNEL_LIMITS,
} from './limits.ts';
import { formatAddress, type ListenAddress, listen } from './listen.ts';
import type { Presence } from './presence/interface.ts';
import { LeaseKeeper } from './presence/lease-keeper.ts';
import { MemoryPresence } from './presence/memory-presence.ts';
import { RedisPresence } from './presence/redis-presence.ts';
import { type Ready, removeReadyFile, writeReadyFile } from './ready-file.ts';
import { aborted, runTogether, type Task } from './run.ts';
import { CarriedResults } from './statement/carried-results.ts';
import { ForwardedCloses } from './statement/forwarded-closes.ts';
import { Metrics } from './telemetry.ts';
import { createTunnelListener } from './tunnel/acceptor.ts';
import { relay } from './tunnel/relay.ts';
import { Tunnels } from './tunnel/tunnels.ts';

/** Builds the gateway and runs it until the signal aborts and it has drained. The only place that chooses implementations. */
export async function runGateway(config: Config, log: Logger, signal: AbortSignal): Promise<void> {
  const credential = await gatewayCredential(
    { controlUrl: config.controlUrl, directory: join(config.dataDir, 'credential'), tokenSource: config.enrollToken, now, log },
    signal,
  );
  const gateway = compose(config, credential, log);
  const { tunnels, presence, flight, tunnelListener, health } = gateway;
  try {
    const ready = await listenAll(gateway, config);
    const leases = new LeaseKeeper({ gatewayId: credential.identity.id, tunnels, presence, limits: PRESENCE_LIMITS, log });
    await runTogether([announcing(gateway, config, ready), draining(gateway, config), (stop) => leases.run(stop)], signal);
  } finally {
    tunnels.closeAll('the gateway shuts down');
    for (const server of [flight.listener, tunnelListener, health]) {
      server.close();
    }
    health.closeAllConnections();
    await presence.close();
  }
  log.info('gateway stopped');
}

interface Gateway {
  readonly log: Logger;
  readonly control: Control;
  readonly presence: Presence;
  readonly tunnels: Tunnels;
  readonly flight: FlightServer;
  readonly tunnelListener: Server;
  readonly health: HttpServer;
  phase: 'starting' | 'running' | 'draining';
}

function compose(config: Config, stored: Credential, log: Logger): Gateway {
  // Asked again at each use: the seam at which a renewed credential will be taken up.
  const credential = () => stored;
  const control = new HttpControl({ controlUrl: config.controlUrl, credential, limits: CONTROL_LIMITS });
  const presence = createPresence(config, log);
  const tunnels = new Tunnels();
  const metrics = new Metrics();
  const callers = new CallerCache({
    control,
    limits: CALLER_CACHE_LIMITS,
    key: createSecretKey(randomBytes(32)),
    now: Date.now,
    counted: (result) => metrics.callerLookedUp(result),
  });
  const carried = new CarriedResults(CARRY_LIMITS, () => performance.now());
  const service = new FlightService({
    gatewayId: stored.identity.id,
    control,
    callers,
    tunnels,
    presence,
    relay,
    carried,
    closes: new ForwardedCloses({ most: CLOSES_FORWARDED_MAX, log }),
    waiting: new WaitingBytes(FLIGHT_LIMITS.waitingBytes),
    limits: FLIGHT_LIMITS,
    relayLimits: RELAY_LIMITS,
    carryLimits: CARRY_LIMITS,
    metrics,
    log,
    elapsed: () => performance.now(),
  });
  const flight = new FlightServer({ credential, limits: FLIGHT_LIMITS, log, serve: (...call) => service.serve(...call) });
  metrics.watch({
    tunnels: () => tunnels.size,
    tunnelStreams: () => tunnels.streams,
    clientConnections: () => flight.connections,
    cachedCallers: () => callers.size,
    carriedResultBytes: () => carried.bytes,
  });
  const notReady = (): string | undefined => (gateway.phase === 'running' ? undefined : `the gateway is ${gateway.phase}`);
  const gateway: Gateway = {
    log,
    control,
    presence,
    tunnels,
    flight,
    tunnelListener: createTunnelListener({ credential, control, tunnels, limits: TUNNEL_LIMITS, log, now }),
    health: createHealthServer({ metrics, notReady, limits: HEALTH_LIMITS }),
    phase: 'starting',
  };
  return gateway;
}

async function listenAll(gateway: Gateway, config: Config): Promise<Ready> {
  const { tunnelListener, health } = gateway;
  const flightListen = listensLater(config) ? config.flightListen : await listenForClients(gateway, config);
  const flightAddress = formatAddress(reachable(flightListen));
  const tunnelAddress = formatAddress(reachable(await listen(tunnelListener, config.tunnelListen, 'JETBRIDGE_TUNNEL_LISTEN')));
  return {
    pid: process.pid,
    flightUri: `grpc+tls://${flightAddress}`,
    flightAddress,
    tunnelAddress: config.tunnelAddress ?? tunnelAddress,
    httpAddress: formatAddress(reachable(await listen(health, config.httpListen, 'JETBRIDGE_HTTP_LISTEN'))),
  };
}

// As soon as it listens, a share of the clients is its own: it must not start before its worker is back while others could serve them.
function listensLater({ flightReusePort, flightTunnelWaitMs, flightListen }: Config): boolean {
  return flightReusePort && flightTunnelWaitMs > 0 && flightListen.port !== 0;
}

function listenForClients({ flight }: Gateway, { flightListen, flightReusePort }: Config): Promise<ListenAddress> {
  return listen(flight.listener, flightListen, 'JETBRIDGE_FLIGHT_LISTEN', { reusePort: flightReusePort });
}

/** Registers, says that the gateway is ready, and keeps the control-api informed. */
function announcing(gateway: Gateway, config: Config, ready: Ready): Task {
  const { readyFile } = config;
  const { control, tunnels, log } = gateway;
  const reports = { control, tunnels, limits: CONTROL_LIMITS, log, random: Math.random };
  return async (stop) => {
    const { tunnelAddress, flightAddress } = ready;
    await registerGateway({ tunnelAddress, flightAddress, version: JETBRIDGE_VERSION }, reports, stop);
    if (listensLater(config)) {
      await tunnels.firstReady(AbortSignal.any([stop, AbortSignal.timeout(config.flightTunnelWaitMs)]));
    }
    if (stop.aborted) {
      return;
    }
    if (listensLater(config)) {
      await listenForClients(gateway, config);
    }
    gateway.phase = 'running';
    if (readyFile !== undefined) {
      await writeReadyFile(readyFile, ready);
    }
    log.info(ready, 'gateway ready');
    await keepTunnelsReported(reports, stop);
  };
}

/** Waits for the end, and makes it a gentle one. */
function draining(gateway: Gateway, { readyFile, drainTimeoutMs }: Config): Task {
  const { control, tunnels, flight, tunnelListener, log } = gateway;
  return async (stop) => {
    await aborted(stop);
    gateway.phase = 'draining';
    log.info({ clientConnections: flight.connections, drainTimeoutMs }, 'gateway draining');
    if (readyFile !== undefined) {
      await removeReadyFile(readyFile);
    }
    tunnelListener.close();
    // Clients first: a call that was taken may still have to open its stream in a tunnel.
    await flight.drain(AbortSignal.timeout(drainTimeoutMs));
    tunnels.drainAll('the gateway shuts down');
    await control.reportTunnels([], AbortSignal.timeout(CONTROL_LIMITS.requestTimeoutMs)).catch((thrown: unknown) => {
      // The control-api lets the last report expire.
      log.warn({ reason: toStatusError(thrown).message }, 'end of tunnels not reported');
    });
  };
}

function createPresence({ redisUrl }: Config, log: Logger): Presence {
  return redisUrl === undefined
    ? new MemoryPresence(PRESENCE_LIMITS, Date.now)
    : new RedisPresence(redisUrl, PRESENCE_LIMITS, (error) => log.warn({ reason: error.message }, 'Redis connection failed'));
}

// Nobody can dial a wildcard. Where workers are on other machines, JETBRIDGE_TUNNEL_ADDRESS says what to tell them.
function reachable({ host, port }: ListenAddress): ListenAddress {
  return { host: isWildcard(host) ? '127.0.0.1' : host, port };
}

function now(): Date {
  return new Date();
}
