import { chmod, copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { textField } from '../api/api-client.ts';
import { GATEWAY_TUNNEL_WAIT_S } from '../limits.ts';
import { type ChildPlan, GATEWAY_NODE_FLAGS, type ReadyReport } from './child.ts';
import { type Enrolled, Enrollment } from './enrollment.ts';
import { type GatewayName, gatewayNames, type Layout, readPassword } from './layout.ts';
import type { HealthCheck } from './liveness.ts';
import { rotateLog } from './log-file.ts';
import { ADMIN, type MeshReport } from './mesh-report.ts';
import type { Source } from './source-directory.ts';
import type { Supervisor } from './supervisor.ts';

export interface MeshPorts {
  readonly flight: number;
  readonly tunnel: number;
  readonly http: number;
}

export interface MeshPlan {
  readonly layout: Layout;
  readonly ports: MeshPorts;
  /** Gateway processes that share the Flight port. */
  readonly gateways: number;
  /** Asked for when the worker starts: the sample may still be in the making until then. */
  readonly source: Promise<Source>;
  /** An admin's access token, for when the initial password is gone. */
  readonly accessToken: string | undefined;
}

export interface Mesh {
  readonly report: MeshReport;
  readonly enrollment: Enrollment;
  /** The processes that have a credential. */
  readonly enrolled: readonly Enrolled[];
}

/** Told as each process becomes ready. */
export type OnReady = (name: string, detail: string) => void;

const HOST = '127.0.0.1';

/** Starts the processes in order and answers where they are. They take the same way as on three machines: real tokens, real tunnels. */
export async function startMesh(plan: MeshPlan, supervisor: Supervisor, onReady: OnReady, signal: AbortSignal): Promise<Mesh> {
  const { layout } = plan;
  const ports: { -readonly [K in keyof MeshPorts]: number } = { ...plan.ports };

  const controlApi = await supervisor.add(controlApiPlan(layout, ports), signal);
  const apiUrl = textField(controlApi, 'apiUrl');
  ports.http = Number(new URL(apiUrl).port);
  await copyFile(join(layout.controlApi, 'ca.pem'), layout.caFile);
  await chmod(layout.caFile, 0o644);
  onReady('control-api', apiUrl);

  const enrollment = new Enrollment({ layout, apiUrl, accessToken: plan.accessToken }, signal);
  const gateways = await startGateways({ ...plan, ports, apiUrl, enrollment }, supervisor, onReady, signal);
  const [first] = gateways;

  const source = await plan.source;
  const worker = await supervisor.add(workerPlan(layout, source, apiUrl, enrollment), signal);
  onReady('worker', enrollment.didEnroll('worker') ? 'enrolled' : '');
  await enrollment.end();

  const password = await readPassword(layout);
  const report = {
    flightUri: textField(first, 'flightUri'),
    caFile: layout.caFile,
    apiUrl,
    tunnelAddress: textField(first, 'tunnelAddress'),
    username: ADMIN,
    ...(password === undefined ? {} : { password }),
    pids: { controlApi: controlApi.pid, ...pidsOf(gateways), worker: worker.pid },
  };
  return { report, enrollment, enrolled: [...gatewayNames(plan.gateways), 'worker'] };
}

interface GatewaysPlan {
  readonly layout: Layout;
  /** As of now: what is 0 becomes a port for good when the first gateway has started. */
  readonly ports: { -readonly [K in keyof MeshPorts]: number };
  readonly gateways: number;
  readonly apiUrl: string;
  readonly enrollment: Enrollment;
}

/** All before the worker, which then learns of all of them at once. */
async function startGateways(
  plan: GatewaysPlan,
  supervisor: Supervisor,
  onReady: OnReady,
  signal: AbortSignal,
): Promise<readonly [ReadyReport, ...ReadyReport[]]> {
  const { ports, enrollment } = plan;
  const [firstName, ...otherNames] = gatewayNames(plan.gateways) as [GatewayName, ...GatewayName[]];
  const start = async (name: GatewayName, tunnelPort: number): Promise<ReadyReport> => {
    const listening = { tunnelPort, isRestart: false };
    const report = await supervisor.add(gatewayPlan(plan, name, listening), signal);
    listening.tunnelPort = portOf(textField(report, 'tunnelAddress'));
    listening.isRestart = true;
    onReady(name, enrollment.didEnroll(name) ? 'enrolled' : '');
    return report;
  };
  const first = await start(firstName, ports.tunnel);
  ports.flight = portOf(textField(first, 'flightAddress'));
  const others: ReadyReport[] = [];
  for (const name of otherNames) {
    others.push(await start(name, 0));
  }
  return [first, ...others];
}

function pidsOf(gateways: readonly ReadyReport[]): Readonly<Record<GatewayName, number>> {
  const names = gatewayNames(gateways.length);
  return Object.fromEntries(gateways.map(({ pid }, index) => [names[index], pid])) as Record<GatewayName, number>;
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

/** The same report after a child was started again. */
export function withPid(report: MeshReport, name: string, { pid }: ReadyReport): MeshReport {
  const key = name === 'control-api' ? 'controlApi' : name;
  return key in report.pids ? { ...report, pids: { ...report.pids, [key]: pid } } : report;
}

function basePlan(layout: Layout, name: 'control-api' | GatewayName | 'worker'): Omit<ChildPlan, 'settings'> {
  const program = name === 'control-api' || name === 'worker' ? name : 'gateway';
  return {
    name,
    main: import.meta.resolve(`@jetbridge/${program}/main`),
    logFile: join(layout.run, `${name}.log`),
    readyFile: join(layout.run, `${name}.json`),
  };
}

function plainHealth(report: ReadyReport): HealthCheck {
  return { url: `http://${textField(report, 'httpAddress')}/healthz` };
}

function controlApiPlan(layout: Layout, ports: MeshPorts): () => Promise<ChildPlan> {
  return async () => ({
    ...basePlan(layout, 'control-api'),
    settings: { JETBRIDGE_DATA_DIR: layout.controlApi, JETBRIDGE_LISTEN: `${HOST}:${ports.http}` },
    health: (report) => ({ url: `${textField(report, 'apiUrl')}/healthz`, caFile: join(layout.controlApi, 'ca.pem') }),
  });
}

function gatewayPlan(
  { layout, ports, gateways, apiUrl, enrollment }: GatewaysPlan,
  name: GatewayName,
  listening: { readonly tunnelPort: number; readonly isRestart: boolean },
): () => Promise<ChildPlan> {
  return async () => ({
    ...basePlan(layout, name),
    nodeFlags: GATEWAY_NODE_FLAGS,
    health: plainHealth,
    settings: {
      JETBRIDGE_DATA_DIR: join(layout.dataDir, name),
      JETBRIDGE_CONTROL_URL: apiUrl,
      JETBRIDGE_FLIGHT_LISTEN: `${HOST}:${ports.flight}`,
      JETBRIDGE_TUNNEL_LISTEN: `${HOST}:${listening.tunnelPort}`,
      JETBRIDGE_HTTP_LISTEN: `${HOST}:0`,
      ...(gateways === 1 ? {} : { JETBRIDGE_FLIGHT_REUSE_PORT: 'true' }),
      ...(listening.isRestart ? { JETBRIDGE_FLIGHT_TUNNEL_WAIT_S: String(GATEWAY_TUNNEL_WAIT_S) } : {}),
      ...(await enrollment.settings(name)),
    },
  });
}

function workerPlan(layout: Layout, source: Source, apiUrl: string, enrollment: Enrollment): () => Promise<ChildPlan> {
  return async () => ({
    ...basePlan(layout, 'worker'),
    health: plainHealth,
    settings: {
      JETBRIDGE_DATA_DIR: layout.worker,
      JETBRIDGE_CONTROL_URL: apiUrl,
      JETBRIDGE_HTTP_LISTEN: `${HOST}:0`,
      JETBRIDGE_SOURCE_DIR: source.directory,
      JETBRIDGE_CATALOG: source.catalog,
      // glibc gives every thread an arena of its own, and what DuckDB's threads free there stays: with two arenas a large result peaks a
      // quarter lower, at the same speed.
      MALLOC_ARENA_MAX: '2',
      ...(await enrollment.settings('worker')),
    },
  });
}

/** Makes the folders of a data directory, readable by its owner only. */
export async function prepareLayout(layout: Layout, gateways: number): Promise<void> {
  const own = gatewayNames(gateways);
  for (const directory of [
    layout.dataDir,
    layout.run,
    layout.controlApi,
    ...own.map((name) => join(layout.dataDir, name)),
    layout.worker,
  ]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
  for (const name of ['control-api', ...own, 'worker']) {
    await rotateLog(join(layout.run, `${name}.log`));
  }
}
