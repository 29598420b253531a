import { readFileSync, statSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { parseEnrollmentToken } from '@jetbridge/proto/enrollment';
import { ENGINE_CALLS_MAX, POOL_SPARE_THREADS } from './limits.ts';

export interface WorkerConfig {
  readonly dataDirectory: string;
  readonly readyFile: string | undefined;
  readonly logLevel: LogLevel;
  readonly controlUrl: URL;
  /** Needed only while the data directory holds no credential. */
  readonly enrollmentToken: string | undefined;
  readonly sourceDirectory: string | undefined;
  readonly catalog: string;
  readonly httpListen: ListenAddress;
  readonly engineMemoryBytes: number;
  readonly engineThreads: number;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Every problem of the environment, one per line. The process ends with exit code 64 (EX_USAGE). */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/**
 * The engine works in the libuv pool, whose size is read from the environment at its first use: call this before anything else runs.
 * Node loads modules without the pool, so the first line of `main` is early enough. A size that the operator chose stays.
 */
export function sizeThreadPool(env: NodeJS.ProcessEnv = process.env): void {
  env.UV_THREADPOOL_SIZE ??= String(ENGINE_CALLS_MAX + POOL_SPARE_THREADS);
}

export function readConfig(env: NodeJS.ProcessEnv = process.env): WorkerConfig {
  const problems: string[] = [];
  const read = <T>(name: string, parse: (text: string) => T, fallback?: string): T | undefined => {
    const text = env[name]?.trim() || fallback;
    if (text === undefined) {
      return undefined;
    }
    try {
      return parse(text);
    } catch (thrown) {
      problems.push(`${name}: ${thrown instanceof Error ? thrown.message : 'invalid'}`);
      return undefined;
    }
  };
  const required = <T>(name: string, parse: (text: string) => T, what: string): T | undefined => {
    if (!env[name]?.trim()) {
      problems.push(`${name}: set it to ${what}`);
      return undefined;
    }
    return read(name, parse);
  };
  const config = {
    dataDirectory: required(
      'JETBRIDGE_DATA_DIR',
      (text) => resolve(text),
      'the directory where this worker keeps its credential and tables',
    ),
    readyFile: read('JETBRIDGE_READY_FILE', (text) => resolve(text)),
    logLevel: read('JETBRIDGE_LOG_LEVEL', parseLogLevel, 'info'),
    controlUrl: required('JETBRIDGE_CONTROL_URL', parseControlUrl, 'the https address of the control-api'),
    enrollmentToken: read('JETBRIDGE_ENROLL_TOKEN_FILE', readToken) ?? read('JETBRIDGE_ENROLL_TOKEN', parseToken),
    sourceDirectory: read('JETBRIDGE_SOURCE_DIR', parseDirectory),
    catalog: read('JETBRIDGE_CATALOG', parseCatalog, 'files'),
    httpListen: read('JETBRIDGE_HTTP_LISTEN', parseListen, '127.0.0.1:9465'),
    engineMemoryBytes: read('JETBRIDGE_ENGINE_MEMORY', parseMemory, defaultEngineMemory()),
    engineThreads: read('JETBRIDGE_ENGINE_THREADS', parseThreads, String(availableParallelism())),
  };
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
  // Every field without a default was checked above; a missing one is in `problems`.
  return config as WorkerConfig;
}

// A quarter of the machine: the worker shares it with the data it stands beside, and results in flight need memory too.
function defaultEngineMemory(): string {
  return `${Math.max(256, Math.floor(totalmem() / 4 / 1024 / 1024))}MiB`;
}

function parseLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text);
  if (level === undefined) {
    throw new Error(`one of ${LOG_LEVELS.join(', ')}`);
  }
  return level;
}

function parseControlUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:' || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new Error('an https URL such as https://jetbridge.example.com:8443');
  }
  return url;
}

function readToken(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Error(`cannot read ${file}`);
  }
  return parseToken(text);
}

function parseToken(text: string): string {
  parseEnrollmentToken(text);
  return text.trim();
}

function parseDirectory(text: string): string {
  const directory = resolve(text);
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Error(`${directory} is not a directory that can be read`);
  }
  return directory;
}

// DuckDB has catalogs of the first three names, and a catalog `main` would make `main.t` ambiguous: every catalog has a schema `main`.
const RESERVED_CATALOGS = ['system', 'temp', 'memory', 'main', 'information_schema', 'pg_catalog'];

// The name is also a file name and is written in SQL, so it is kept to what needs no quoting anywhere.
function parseCatalog(text: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(text) || RESERVED_CATALOGS.includes(text)) {
    throw new Error(`a SQL name: lower-case letters, digits and _, not starting with a digit, and none of ${RESERVED_CATALOGS.join(', ')}`);
  }
  return text;
}

/** `host:port` or `[v6]:port`; port 0 takes any free one. */
export function parseListen(text: string): ListenAddress {
  const [, v6, name, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = v6 ?? name;
  const port = Number(digits);
  if (host === undefined || port > 65_535) {
    throw new Error('an address such as 127.0.0.1:9465');
  }
  return { host, port };
}

const MEMORY_UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9, TB: 1e12, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

function parseMemory(text: string): number {
  const [, digits, unit] = /^([1-9]\d{0,6}) ?(MB|GB|TB|MiB|GiB|TiB)$/.exec(text) ?? [];
  const factor = MEMORY_UNITS[unit ?? ''];
  if (digits === undefined || factor === undefined) {
    throw new Error('an amount such as 2GiB or 512MB');
  }
  return Number(digits) * factor;
}

function parseThreads(text: string): number {
  const threads = Number(text);
  if (!Number.isInteger(threads) || threads < 1 || threads > 1024) {
    throw new Error('a number of threads from 1 to 1024');
  }
  return threads;
}
