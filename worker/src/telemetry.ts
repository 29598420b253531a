import type { StatusCode } from '@jetbridge/proto/status-error';
import pino, { type DestinationStream, type Logger } from 'pino';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { LogLevel } from './config.ts';

export type { Logger } from 'pino';

/** What became of one statement, for the gateway's records and for ours. */
export interface StatementOutcome {
  readonly outcome: 'ok' | StatusCode;
  readonly rows: number;
  readonly bytes: number;
  readonly engineMicros: number;
}

/** The worker's counters. Gauges are read from their owners when they are scraped, so they cannot drift. */
export interface Metrics {
  readonly registry: Registry;
  statementEnded(outcome: StatementOutcome): void;
  /** Engine time of a call that is only a step of a statement. */
  engineWorked(engineMicros: number): void;
  callEnded(method: string, outcome: 'ok' | StatusCode): void;
  tunnelDialFailed(): void;
  watch(gauges: WatchedGauges): void;
}

export interface WatchedGauges {
  readonly tunnels: () => number;
  readonly sessions: () => number;
  readonly statementsRunning: () => number;
}

export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = { level, base: { process: 'worker' }, timestamp: pino.stdTimeFunctions.isoTime };
  return destination === undefined ? pino(options) : pino(options, destination);
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const statements = new Counter({
    name: 'jetbridge_worker_statements_total',
    help: 'Statements that ended, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const rows = new Counter({ name: 'jetbridge_worker_rows_total', help: 'Rows sent to gateways.', registers });
  const bytes = new Counter({ name: 'jetbridge_worker_result_bytes_total', help: 'Bytes of Arrow sent to gateways.', registers });
  const engine = new Counter({ name: 'jetbridge_worker_engine_seconds_total', help: 'Time the engine worked on statements.', registers });
  const calls = new Counter({
    name: 'jetbridge_worker_calls_total',
    help: 'RPCs that ended, by method and outcome.',
    labelNames: ['method', 'outcome'],
    registers,
  });
  const dialFailures = new Counter({
    name: 'jetbridge_worker_tunnel_dial_failures_total',
    help: 'Dials to gateways that failed.',
    registers,
  });
  return {
    registry,
    statementEnded: (ended) => {
      statements.inc({ outcome: ended.outcome });
      rows.inc(ended.rows);
      bytes.inc(ended.bytes);
      engine.inc(ended.engineMicros / 1e6);
    },
    engineWorked: (engineMicros) => engine.inc(engineMicros / 1e6),
    callEnded: (method, outcome) => calls.inc({ method, outcome }),
    tunnelDialFailed: () => dialFailures.inc(),
    watch: (gauges) => watchGauges(registry, gauges),
  };
}

function watchGauges(registry: Registry, gauges: WatchedGauges): void {
  watchGauge(registry, 'jetbridge_worker_tunnels', 'Tunnels that serve now.', gauges.tunnels);
  watchGauge(registry, 'jetbridge_worker_sessions', 'Sessions that are open.', gauges.sessions);
  watchGauge(registry, 'jetbridge_worker_statements_running', 'Statements that hold a connection of the engine.', gauges.statementsRunning);
}

function watchGauge(registry: Registry, name: string, help: string, value: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(value());
    },
  });
}
