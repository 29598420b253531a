import { type DestinationStream, type Logger, pino } from 'pino';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type { Logger } from 'pino';

// Belt and braces: none of these is passed to the logger on purpose.
const SECRETS = ['authorization', 'token', 'accessToken', 'password', 'secret', 'cookie', 'csr'];

/** Constant messages, data in fields, secrets removed wherever they stand at the first two levels. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { service: 'control-api' },
    serializers: { err: loggableError },
    redact: {
      paths: [...SECRETS, ...SECRETS.map((name) => `*.${name}`), 'req.headers', 'request.headers'],
      censor: '[redacted]',
    },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** Only what is known to be harmless: drivers hang connections, rows and parameters on their errors. */
function loggableError(error: unknown): unknown {
  if (!(error instanceof Error)) {
    return { type: typeof error };
  }
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return { type: name, code, message, stack, ...(cause === undefined ? {} : { cause: loggableError(cause) }) };
}

export type SignInCounter = Counter<'outcome'>;
export type EnrollmentCounter = Counter<'outcome'>;

export interface Metrics {
  readonly registry: Registry;
  readonly httpDuration: Histogram<'method' | 'route' | 'status'>;
  readonly signIns: SignInCounter;
  readonly enrollments: EnrollmentCounter;
}

/** All metrics of one control-api; `databaseWaiting` is read at each scrape. */
export function createMetrics(databaseWaiting: () => number): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'jetbridge_control_database_waiting',
    help: 'Requests that wait for a database connection.',
    registers,
    collect() {
      this.set(databaseWaiting());
    },
  });
  return {
    registry,
    httpDuration: new Histogram({
      name: 'jetbridge_control_http_request_duration_seconds',
      help: 'Time from the head of a request to the end of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
      registers,
    }),
    signIns: new Counter({
      name: 'jetbridge_control_sign_ins_total',
      help: 'Sign-ins by outcome: success, failure (wrong name or password), limited.',
      labelNames: ['outcome'],
      registers,
    }),
    enrollments: new Counter({
      name: 'jetbridge_control_enrollments_total',
      help: 'Enrollments by outcome: success, repeated (answer given again), refused, limited.',
      labelNames: ['outcome'],
      registers,
    }),
  };
}
