import { chmod, copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { textField } from '../api/api-client.ts';
import type { ChildPlan, ReadyReport } from './child.ts';
import { Enrollment } from './enrollment.ts';
import { type Layout, readPassword } from './layout.ts';
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
  /** Asked for when the worker starts: the sample may still be in the making until then. */
  readonly source: Promise<Source>;
  /** An admin's access token, for when the initial password is gone. */
  readonly accessToken: string | undefined;
}

export interface Mesh {
  readonly report: MeshReport;
  readonly enrollment: Enrollment;
}

/** Told as each process becomes ready. */
export type OnReady = (name: string, detail: string) => void;

const HOST = '127.0.0.1';

/** Starts the three processes in order and answers where they are. They take the same way as on three machines: real tokens, real tunnels. */
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
  const gateway = await supervisor.add(gatewayPlan(layout, ports, apiUrl, enrollment), signal);
  const flightUri = textField(gateway, 'flightUri');
  const tunnelAddress = textField(gateway, 'tunnelAddress');
  ports.flight = Number(new URL(flightUri).port);
  ports.tunnel = Number(tunnelAddress.slice(tunnelAddress.lastIndexOf(':') + 1));
  onReady('gateway', enrollment.didEnroll('gateway') ? 'enrolled' : '');

  const source = await plan.source;
  const worker = await supervisor.add(workerPlan(layout, source, apiUrl, enrollment), signal);
  onReady('worker', enrollment.didEnroll('worker') ? 'enrolled' : '');
  await enrollment.end();

  const password = await readPassword(layout);
  const report = {
    flightUri,
    caFile: layout.caFile,
    apiUrl,
    tunnelAddress,
    username: ADMIN,
    ...(password === undefined ? {} : { password }),
    pids: { controlApi: controlApi.pid, gateway: gateway.pid, worker: worker.pid },
  };
  return { report, enrollment };
}

/** The same report after a child was started again. */
export function withPid(report: MeshReport, name: string, { pid }: ReadyReport): MeshReport {
  const key = ({ 'control-api': 'controlApi', gateway: 'gateway', worker: 'worker' } as const)[name];
  return key === undefined ? report : { ...report, pids: { ...report.pids, [key]: pid } };
}

function basePlan(layout: Layout, name: 'control-api' | 'gateway' | 'worker'): Omit<ChildPlan, 'settings'> {
  return {
    name,
    main: import.meta.resolve(`@jetbridge/${name}/main`),
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

function gatewayPlan(layout: Layout, ports: MeshPorts, apiUrl: string, enrollment: Enrollment): () => Promise<ChildPlan> {
  return async () => ({
    ...basePlan(layout, 'gateway'),
    health: plainHealth,
    settings: {
      JETBRIDGE_DATA_DIR: layout.gateway,
      JETBRIDGE_CONTROL_URL: apiUrl,
      JETBRIDGE_FLIGHT_LISTEN: `${HOST}:${ports.flight}`,
      JETBRIDGE_TUNNEL_LISTEN: `${HOST}:${ports.tunnel}`,
      JETBRIDGE_HTTP_LISTEN: `${HOST}:0`,
      ...(await enrollment.settings('gateway')),
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
export async function prepareLayout(layout: Layout): Promise<void> {
  for (const directory of [layout.dataDir, layout.run, layout.controlApi, layout.gateway, layout.worker]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
  for (const name of ['control-api', 'gateway', 'worker']) {
    await rotateLog(join(layout.run, `${name}.log`));
  }
}
