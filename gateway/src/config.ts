import { resolve } from 'node:path';
import type { EnrollmentTokenSource } from './control/enrollment.ts';
import type { ListenAddress } from './listen.ts';

export interface Config {
  readonly controlUrl: string;
  readonly dataDir: string;
  readonly readyFile: string | undefined;
  readonly logLevel: string;
  readonly enrollToken: EnrollmentTokenSource;
  readonly flightListen: ListenAddress;
  /** Other gateway processes on this machine listen at the same address, and the kernel deals connections out among them. */
  readonly flightReusePort: boolean;
  /** How long this gateway leaves that to the others while it has no tunnel yet. Only with a fixed port. */
  readonly flightTunnelWaitMs: number;
  readonly tunnelListen: ListenAddress;
  /** What workers are told to dial, when it is not the listener itself. */
  readonly tunnelAddress: string | undefined;
  readonly httpListen: ListenAddress;
  /** Without it, presence lives in memory and this gateway stands alone. */
  readonly redisUrl: string | undefined;
  readonly drainTimeoutMs: number;
}

/** Names everything that is wrong, so that it can be mended in one go. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the configuration has ${problems.length} problem(s):\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
// A statement that runs longer than an hour will not make anybody keep an old gateway.
const DRAIN_TIMEOUT_MAX_S = 3_600;
// Workers dial again within 15 s.
const FLIGHT_TUNNEL_WAIT_MAX_S = 60;

/** Throws a ConfigError when anything is missing or wrong. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const problems: string[] = [];
  const text = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const read = <T>(name: string, fallback: string, parse: (value: string) => T | undefined, expected: string): T => {
    const value = text(name) ?? fallback;
    const parsed = parse(value);
    if (parsed === undefined) {
      problems.push(value === '' ? `${name} is not set: ${expected}` : `${name} is ${JSON.stringify(value)}: ${expected}`);
    }
    return parsed as T;
  };
  const listening = (name: string, fallback: string): ListenAddress => read(name, fallback, parseAddress, 'expected host:port');
  const seconds = (name: string, fallback: string, most: number): number =>
    read(name, fallback, secondsUpTo(most), `expected 0 to ${most} seconds`);
  const optional = <T>(name: string, parse: (value: string) => T | undefined, expected: string): T | undefined =>
    text(name) === undefined ? undefined : read(name, '', parse, expected);

  const config: Config = {
    controlUrl: read('JETBRIDGE_CONTROL_URL', '', urlOf('https:'), "expected the control-api's address, like https://127.0.0.1:8443"),
    dataDir: resolve(text('JETBRIDGE_DATA_DIR') ?? 'jetbridge-data/gateway'),
    readyFile: text('JETBRIDGE_READY_FILE'),
    logLevel: read('JETBRIDGE_LOG_LEVEL', 'info', oneOf(LOG_LEVELS), `expected one of ${LOG_LEVELS.join(', ')}`),
    enrollToken: { token: text('JETBRIDGE_ENROLL_TOKEN'), file: text('JETBRIDGE_ENROLL_TOKEN_FILE') },
    flightListen: listening('JETBRIDGE_FLIGHT_LISTEN', '0.0.0.0:31337'),
    flightReusePort: read('JETBRIDGE_FLIGHT_REUSE_PORT', 'false', booleanOf, 'expected true or false'),
    flightTunnelWaitMs: 1000 * seconds('JETBRIDGE_FLIGHT_TUNNEL_WAIT_S', '0', FLIGHT_TUNNEL_WAIT_MAX_S),
    tunnelListen: listening('JETBRIDGE_TUNNEL_LISTEN', '0.0.0.0:31338'),
    tunnelAddress: optional('JETBRIDGE_TUNNEL_ADDRESS', dialable, 'expected the host:port that workers dial, not a wildcard'),
    httpListen: listening('JETBRIDGE_HTTP_LISTEN', '127.0.0.1:9464'),
    redisUrl: optional('REDIS_URL', urlOf('redis:', 'rediss:'), 'expected redis://host:port'),
    drainTimeoutMs: 1000 * seconds('JETBRIDGE_DRAIN_TIMEOUT_S', '30', DRAIN_TIMEOUT_MAX_S),
  };
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
  return config;
}

function parseAddress(value: string): ListenAddress | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):([0-9]{1,5})$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  return host !== undefined && port <= 65_535 ? { host, port } : undefined;
}

function dialable(value: string): string | undefined {
  const address = parseAddress(value);
  return address === undefined || address.port === 0 || isWildcard(address.host) ? undefined : value;
}

/** True for an address to listen on that nobody can dial. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function urlOf(...protocols: readonly string[]): (value: string) => string | undefined {
  return (value) => (URL.canParse(value) && protocols.includes(new URL(value).protocol) ? value : undefined);
}

function oneOf(values: readonly string[]): (value: string) => string | undefined {
  return (value) => (values.includes(value) ? value : undefined);
}

function booleanOf(value: string): boolean | undefined {
  return value === 'true' || value === 'false' ? value === 'true' : undefined;
}

function secondsUpTo(most: number): (value: string) => number | undefined {
  return (value) => (/^[0-9]{1,5}$/.test(value) && Number(value) <= most ? Number(value) : undefined);
}
