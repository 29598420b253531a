import { statusCodeOfGrpc } from '@jetbridge/proto/status-grpc';
import { type Logger, pino } from 'pino';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Usage } from './statement/usage.ts';
import type { RelayOutcome } from './tunnel/relay-interface.ts';

/** Log messages are constants; what varies is in fields. Never a secret, never row data, never SQL. */
export function createLog(level: string): Logger {
  return pino({ level, base: { process: 'gateway', pid: process.pid } });
}

/** What the gauges look at when they are read. */
export interface Gauges {
  readonly tunnels: () => number;
  readonly tunnelStreams: () => number;
  readonly clientConnections: () => number;
  readonly cachedCallers: () => number;
}

export class Metrics {
  readonly registry = new Registry();
  readonly #registers = [this.registry];
  readonly #calls = new Counter({
    name: 'jetbridge_gateway_calls_total',
    help: 'Flight calls by method and gRPC status',
    labelNames: ['method', 'status'],
    registers: this.#registers,
  });
  readonly #callDuration = new Histogram({
    name: 'jetbridge_gateway_call_duration_seconds',
    help: 'From the headers of a Flight call to its end',
    labelNames: ['method'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600],
    registers: this.#registers,
  });
  readonly #relayEnds = this.#counter('jetbridge_gateway_relay_ends_total', 'Relayed calls by how they ended', ['end']);
  readonly #relayedBytes = this.#counter('jetbridge_gateway_relayed_bytes_total', 'Message bytes relayed', ['direction']);
  readonly #rows = this.#counter('jetbridge_gateway_rows_total', 'Rows sent, as workers reported them');
  readonly #arrowBytes = this.#counter('jetbridge_gateway_arrow_bytes_total', 'Bytes of Arrow sent, as workers reported them');
  readonly #engineSeconds = this.#counter('jetbridge_gateway_engine_seconds_total', 'Time that engines worked, as workers reported it');
  readonly #callerLookups = this.#counter('jetbridge_gateway_caller_lookups_total', 'Lookups of callers in the cache', ['result']);

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  called(method: string, status: number, seconds: number): void {
    this.#calls.inc({ method, status: status === 0 ? 'ok' : statusCodeOfGrpc(status) });
    this.#callDuration.observe({ method }, seconds);
  }

  relayed(outcome: RelayOutcome, usage: Usage): void {
    this.#relayEnds.inc({ end: outcome.end });
    this.#relayedBytes.inc({ direction: 'to_worker' }, outcome.requestBytes);
    this.#relayedBytes.inc({ direction: 'to_client' }, outcome.responseBytes);
    this.#rows.inc(usage.rows);
    this.#arrowBytes.inc(usage.bytes);
    this.#engineSeconds.inc(usage.engineMicros / 1e6);
  }

  callerLookedUp(result: 'hit' | 'miss'): void {
    this.#callerLookups.inc({ result });
  }

  watch(gauges: Gauges): void {
    this.#gauge('jetbridge_gateway_tunnels', 'Open tunnels', gauges.tunnels);
    this.#gauge('jetbridge_gateway_tunnel_streams', 'Streams open in tunnels', gauges.tunnelStreams);
    this.#gauge('jetbridge_gateway_client_connections', 'Connections of clients', gauges.clientConnections);
    this.#gauge('jetbridge_gateway_cached_callers', 'Callers in the cache', gauges.cachedCallers);
  }

  #counter<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Counter<Label> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: this.#registers });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: this.#registers,
      collect(): void {
        this.set(read());
      },
    });
  }
}
