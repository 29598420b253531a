import { statusCodeOfGrpc } from '@jetbridge/proto/status-grpc';
import { destination, type Logger, pino } from 'pino';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { LOG_BLOCK_BYTES, LOG_DELAY_MS } from './limits.ts';
import type { Usage } from './statement/usage.ts';
import type { RelayOutcome } from './tunnel/relay-interface.ts';

/** What a destination with `contentMode: 'buffer'` takes; its published type knows of strings only. */
interface ByteBlocks {
  write(bytes: Buffer | string): boolean;
  flushSync(): void;
}

/**
 * Log messages are constants; what varies is in fields. Never a secret, never row data, never SQL. Lines leave in blocks: a write for each would
 * be a tenth of what a small call costs.
 */
export function createLog(level: string): Logger {
  const blocks: ByteBlocks = destination({ sync: true, contentMode: 'buffer', minLength: LOG_BLOCK_BYTES, periodicFlush: LOG_DELAY_MS });
  process.once('exit', () => blocks.flushSync());
  // As bytes: the destination converts a block of joined strings twice, which takes ten times as long.
  const lines = { write: (line: string): boolean => blocks.write(Buffer.from(line)) };
  return pino({ level, base: { process: 'gateway', pid: process.pid } }, lines);
}

/** What the gauges look at when they are read. */
export interface Gauges {
  readonly tunnels: () => number;
  readonly tunnelStreams: () => number;
  readonly clientConnections: () => number;
  readonly cachedCallers: () => number;
  readonly carriedResultBytes: () => number;
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
  readonly #carriedResults = this.#counter('jetbridge_gateway_carried_results_total', 'DoGets answered without a worker');
  readonly #callerLookups = this.#counter('jetbridge_gateway_caller_lookups_total', 'Lookups of callers in the cache', ['result']);

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  called(method: string, status: number, seconds: number): void {
    this.#calls.inc({ method, status: status === 0 ? 'ok' : statusCodeOfGrpc(status) });
    this.#callDuration.observe({ method }, seconds);
  }

  relayed(outcome: Omit<RelayOutcome, 'trailers'>, usage: Usage): void {
    this.#relayEnds.inc({ end: outcome.end });
    this.#relayedBytes.inc({ direction: 'to_worker' }, outcome.requestBytes);
    this.#relayedBytes.inc({ direction: 'to_client' }, outcome.responseBytes);
    this.#rows.inc(usage.rows);
    this.#arrowBytes.inc(usage.bytes);
    this.#engineSeconds.inc(usage.engineMicros / 1e6);
  }

  /** A DoGet was answered with what came with its FlightInfo. */
  carried(rows: number, bytes: number): void {
    this.#carriedResults.inc();
    this.#rows.inc(rows);
    this.#arrowBytes.inc(bytes);
  }

  callerLookedUp(result: 'hit' | 'miss'): void {
    this.#callerLookups.inc({ result });
  }

  watch(gauges: Gauges): void {
    this.#gauge('jetbridge_gateway_tunnels', 'Open tunnels', gauges.tunnels);
    this.#gauge('jetbridge_gateway_tunnel_streams', 'Streams open in tunnels', gauges.tunnelStreams);
    this.#gauge('jetbridge_gateway_client_connections', 'Connections of clients', gauges.clientConnections);
    this.#gauge('jetbridge_gateway_cached_callers', 'Callers in the cache', gauges.cachedCallers);
    this.#gauge('jetbridge_gateway_carried_result_bytes', 'Bytes of results that wait for their DoGet', gauges.carriedResultBytes);
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
