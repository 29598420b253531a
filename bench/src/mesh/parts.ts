import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiClient, textField } from '@jetbridge/cli/api/api-client';
import { type Child, GATEWAY_NODE_FLAGS, startChild } from '@jetbridge/cli/start/child';
import { mainModule } from '../own-module.ts';

/** The processes of a mesh one by one, as on several machines: scenarios that need less, more or others than `jetbridge start` gives. */
export interface MeshParts {
  readonly caFile: string;
  readonly apiUrl: string;
  readonly username: string;
  readonly password: string;
  readonly controlApiPid: number;
  startGateway(options?: GatewayOptions): Promise<Gateway>;
  startWorker(options: WorkerOptions): Promise<{ readonly pid: number }>;
  /** A one-time enrollment token for a worker. */
  workerToken(name: string): Promise<string>;
  /** A bearer as clients use it after their sign-in. */
  accessToken(): Promise<string>;
  stop(): Promise<void>;
}

export interface GatewayOptions {
  readonly name?: string;
  /** What workers are told to dial instead of the listener. */
  readonly tunnelAddress?: string;
  readonly tunnelPort?: number;
  /** A module to load first. */
  readonly preload?: URL;
}

export interface Gateway {
  readonly pid: number;
  readonly id: string;
  readonly flightUri: string;
  readonly tunnelAddress: string;
  readonly httpAddress: string;
}

export interface WorkerOptions {
  readonly name?: string;
  readonly sourceDirectory: string;
  readonly catalog: string;
}

type Settings = Readonly<Record<string, string>>;

const HOST = '127.0.0.1';
const ADMIN = 'admin';
const DRAIN_MS = 3_000;
const TOKEN_TTL_S = 600;

/** Starts a control-api in a new directory; the rest is started by what it returns. */
export async function startParts(directory: string, signal: AbortSignal): Promise<MeshParts> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const children: Child[] = [];
  const start = async (name: string, program: Program, settings: Settings) => {
    const own = join(directory, name);
    await mkdir(own, { recursive: true, mode: 0o700 });
    const child = await startChild({
      name,
      main: mainModule(program),
      ...(program === 'gateway' ? { nodeFlags: GATEWAY_NODE_FLAGS } : {}),
      settings: { JETBRIDGE_DATA_DIR: own, JETBRIDGE_LOG_LEVEL: 'info', ...settings },
      logFile: join(directory, `${name}.log`),
      readyFile: join(directory, `${name}.json`),
    });
    children.push(child);
    return await child.ready(signal);
  };
  const controlApi = await start('control-api', 'control-api', { JETBRIDGE_LISTEN: `${HOST}:0` });
  const apiUrl = textField(controlApi, 'apiUrl');
  const caFile = join(directory, 'control-api', 'ca.pem');
  const password = (await readFile(join(directory, 'control-api', 'initial-admin-password'), 'utf8')).trim();
  const address = { apiUrl, caPem: await readFile(caFile, 'utf8') };
  let api: ApiClient | undefined;
  const token = async (request: object): Promise<string> => {
    api ??= await new ApiClient(address).signIn(ADMIN, password, signal);
    return textField(await api.call('POST', '/v1/enrollment-tokens', signal, { ttlS: TOKEN_TTL_S, ...request }), 'token');
  };
  const workerToken = (name: string): Promise<string> => token({ kind: 'worker', name, pool: 'default' });
  return {
    caFile,
    apiUrl,
    username: ADMIN,
    password,
    controlApiPid: controlApi.pid,
    workerToken,
    startGateway: async ({ name = 'gateway', tunnelAddress, tunnelPort = 0, preload } = {}) => {
      const report = await start(name, 'gateway', {
        JETBRIDGE_CONTROL_URL: apiUrl,
        JETBRIDGE_FLIGHT_LISTEN: `${HOST}:0`,
        JETBRIDGE_TUNNEL_LISTEN: `${HOST}:${tunnelPort}`,
        JETBRIDGE_HTTP_LISTEN: `${HOST}:0`,
        ...(tunnelAddress === undefined ? {} : { JETBRIDGE_TUNNEL_ADDRESS: tunnelAddress }),
        ...(preload === undefined ? {} : { NODE_OPTIONS: `--import=${preload.href}` }),
        JETBRIDGE_ENROLL_TOKEN: await token({ kind: 'gateway', name, dnsNames: ['localhost'], ipAddresses: [HOST, '::1'] }),
      });
      return {
        pid: report.pid,
        id: await identityOf(join(directory, name)),
        flightUri: textField(report, 'flightUri'),
        tunnelAddress: textField(report, 'tunnelAddress'),
        httpAddress: textField(report, 'httpAddress'),
      };
    },
    startWorker: async ({ name = 'worker', sourceDirectory, catalog }) => {
      const { pid } = await start(name, 'worker', {
        JETBRIDGE_CONTROL_URL: apiUrl,
        JETBRIDGE_HTTP_LISTEN: `${HOST}:0`,
        JETBRIDGE_SOURCE_DIR: sourceDirectory,
        JETBRIDGE_CATALOG: catalog,
        // As `jetbridge start` sets it.
        MALLOC_ARENA_MAX: '2',
        JETBRIDGE_ENROLL_TOKEN: await workerToken(name),
      });
      return { pid };
    },
    accessToken: async () =>
      textField(await new ApiClient(address).call('POST', '/v1/sign-in', signal, { username: ADMIN, password }), 'accessToken'),
    stop: async () => {
      for (const child of children.toReversed()) {
        await child.stop(DRAIN_MS);
      }
    },
  };
}

type Program = 'control-api' | 'gateway' | 'worker';

async function identityOf(directory: string): Promise<string> {
  const { loadCredential } = await import('@jetbridge/pki/credential/files');
  const credential = await loadCredential(join(directory, 'credential'));
  return credential?.identity.id ?? '';
}
