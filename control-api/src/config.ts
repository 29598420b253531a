import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { isTrustDomain } from '@jetbridge/proto/identity';

export interface Config {
  readonly dataDirectory: string;
  readonly readyFile: string | undefined;
  readonly logLevel: string;
  readonly listen: { readonly host: string; readonly port: number };
  /** What the certificate of the API names. */
  readonly tlsNames: { readonly dnsNames: readonly string[]; readonly ipAddresses: readonly string[] };
  /** Without it the database is embedded in the data directory. */
  readonly databaseUrl: string | undefined;
  /** Holds the key that seals the CA keys; without it one is made in the data directory. */
  readonly kekFile: string | undefined;
  readonly trustDomain: string;
}

/** Every problem of the configuration at once, so that it is mended in one go. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
const DNS_NAME = /^(?=.{1,253}$)(?!.*xn--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

export function readConfig(environment: Environment): Config {
  const problems: string[] = [];
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const dataDirectory = read('JETBRIDGE_DATA_DIR');
  const config = {
    dataDirectory: resolve(dataDirectory ?? '.'),
    readyFile: read('JETBRIDGE_READY_FILE'),
    logLevel: readLogLevel(read('JETBRIDGE_LOG_LEVEL') ?? 'info', problems),
    listen: readListen(read('JETBRIDGE_LISTEN') ?? '127.0.0.1:8443', problems),
    tlsNames: readTlsNames(read('JETBRIDGE_TLS_NAMES') ?? 'localhost,127.0.0.1,::1', problems),
    databaseUrl: readDatabaseUrl(read('DATABASE_URL'), problems),
    kekFile: read('JETBRIDGE_CA_KEK_FILE'),
    trustDomain: read('JETBRIDGE_TRUST_DOMAIN') ?? 'jetbridge.internal',
  };
  if (dataDirectory === undefined) {
    problems.push('JETBRIDGE_DATA_DIR is required: the directory that keeps the CA and the embedded database');
  }
  if (!isTrustDomain(config.trustDomain)) {
    problems.push('JETBRIDGE_TRUST_DOMAIN must be a lower-case DNS name');
  }
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
  return config;
}

/** The environment of this process, read in this file only. */
export function processEnvironment(): Environment {
  return process.env;
}

function readLogLevel(level: string, problems: string[]): string {
  if (!LOG_LEVELS.includes(level)) {
    problems.push(`JETBRIDGE_LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}`);
  }
  return level;
}

function readListen(address: string, problems: string[]): Config['listen'] {
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(address) ?? [];
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (!(isIP(bare) !== 0 || DNS_NAME.test(bare)) || Number(port) > 65_535) {
    problems.push('JETBRIDGE_LISTEN must be host:port, such as 127.0.0.1:8443 or [::]:8443');
  }
  return { host: bare, port: Number(port) };
}

function readTlsNames(list: string, problems: string[]): Config['tlsNames'] {
  const names = list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const ipAddresses = names.filter((name) => isIP(name) !== 0);
  const dnsNames = names.filter((name) => isIP(name) === 0);
  const wrong = dnsNames.filter((name) => !DNS_NAME.test(name));
  if (wrong.length > 0) {
    problems.push(
      `JETBRIDGE_TLS_NAMES must be DNS names in lower case and IP addresses, separated by commas; this is neither: ${wrong.join(', ')}`,
    );
  }
  return { dnsNames, ipAddresses };
}

// The value may hold a password, so no message repeats it.
function readDatabaseUrl(url: string | undefined, problems: string[]): string | undefined {
  if (url !== undefined && !/^postgres(ql)?:\/\//.test(url)) {
    problems.push('DATABASE_URL must begin with postgres:// or postgresql://');
  }
  return url;
}
