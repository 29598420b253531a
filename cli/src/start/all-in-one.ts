import { rm, writeFile } from 'node:fs/promises';
import { JETBRIDGE_VERSION } from '@jetbridge/proto/version';
import { SIGNAL_REPEAT_MS } from '../limits.ts';
import { EXIT_OK } from '../usage.ts';
import { writeAtomically } from './atomic-file.ts';
import { makeDataDir, requireOwnDirectory, requireWritableFolder } from './data-directory.ts';
import { type Layout, layoutOf } from './layout.ts';
import { type Mesh, type MeshPorts, prepareLayout, startMesh, withPid } from './mesh.ts';
import type { MeshReport } from './mesh-report.ts';
import { takeOwnerLock } from './owner-lock.ts';
import { requireFreePorts, requireSharedPorts } from './ports.ts';
import { probeMesh } from './probe.ts';
import { readyText } from './ready-text.ts';
import { ensureSample, SAMPLE_CATALOG } from './sample-data.ts';
import { SAMPLE_SCALE } from './sample-statements.ts';
import { openSource, type Source } from './source-directory.ts';
import { Supervisor } from './supervisor.ts';
import { keepCredentialsFresh, keepLogsBounded, type Say } from './upkeep.ts';

export interface AllInOneOptions {
  readonly dataDir: string;
  /** The directory that commands look in by themselves. */
  readonly isDefaultDataDir: boolean;
  /** The user's own files; undefined serves the sample. */
  readonly data: string | undefined;
  readonly readyFile: string | undefined;
  readonly ports: MeshPorts;
  /** Gateway processes. */
  readonly gateways: number;
  readonly accessToken: string | undefined;
}

const EXIT_INTERRUPTED = 130;
const HOST = '127.0.0.1';

/** Everything that can be wrong with the command line is found before anything is started. */
export async function runAllInOne(options: AllInOneOptions): Promise<number> {
  const layout = layoutOf(options.dataDir);
  const own = options.data === undefined ? undefined : await openSource(options.data);
  if (options.readyFile !== undefined) {
    await requireWritableFolder(options.readyFile);
  }
  await requireOwnDirectory(layout);
  await makeDataDir(layout);
  const lock = await takeOwnerLock(layout.lock);
  try {
    await requireFreePorts(
      [
        { port: options.ports.flight, flag: 'flight-port', purpose: 'Flight SQL' },
        { port: options.ports.tunnel, flag: 'tunnel-port', purpose: 'tunnels' },
        { port: options.ports.http, flag: 'http-port', purpose: 'API' },
      ],
      HOST,
    );
    if (options.gateways > 1) {
      await requireSharedPorts(HOST);
    }
    await prepareLayout(layout, options.gateways);
    await superviseMesh(options, layout, own);
    return EXIT_OK;
  } finally {
    await rm(layout.mesh, { force: true });
    if (options.readyFile !== undefined) {
      await rm(options.readyFile, { force: true });
    }
    await lock.release();
  }
}

async function superviseMesh(options: AllInOneOptions, layout: Layout, own: Source | undefined): Promise<void> {
  const stopping = new AbortController();
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  let report: MeshReport | undefined;
  const supervisor = new Supervisor({
    died: (_name, reason, delayMs) => say(`${reason}\n  starting it again in ${delayMs / 1000} s`),
    back: async (name, ready) => {
      say(`${name} is back (pid ${ready.pid})`);
      if (report !== undefined) {
        report = withPid(report, name, ready);
        await writeReports(options, layout, report);
      }
    },
    stopping: (name) => say(`  stopping ${name}`),
  });
  const releaseSignals = stopOnSignals(stopping, supervisor, say);
  const upkeep = [keepLogsBounded(supervisor, stopping.signal)];
  try {
    const mesh = await bringUp(options, layout, own, supervisor, say, stopping.signal);
    report = mesh.report;
    await writeReports(options, layout, report);
    process.stdout.write(
      await readyText({
        layout,
        report,
        catalog: own?.catalog ?? SAMPLE_CATALOG,
        isSample: own === undefined,
        isDefaultDataDir: options.isDefaultDataDir,
      }),
    );
    await writeFile(layout.passwordShown, '', { mode: 0o600 });
    const { enrolled: names, enrollment } = mesh;
    upkeep.push(keepCredentialsFresh({ names, enrollment, supervisor, say, signal: stopping.signal }));
    await supervisor.run(stopping.signal);
  } catch (error) {
    // Whatever fails because of Ctrl-C is no failure.
    if (!stopping.signal.aborted) {
      throw error;
    }
  } finally {
    stopping.abort();
    await supervisor.stop();
    await Promise.all(upkeep);
    releaseSignals();
  }
  say('stopped');
}

async function bringUp(
  options: AllInOneOptions,
  layout: Layout,
  own: Source | undefined,
  supervisor: Supervisor,
  say: Say,
  signal: AbortSignal,
): Promise<Mesh> {
  say(`Jetbridge ${JETBRIDGE_VERSION}, state in ${layout.dataDir}`);
  const clock = stopwatch();
  const source = own === undefined ? prepareSample(layout, say, signal) : Promise.resolve(own);
  // Awaited when the worker starts; until then a failure must not count as unhandled.
  source.catch(() => undefined);
  say('  control-api: starting');
  const mesh = await startMesh(
    { layout, ports: options.ports, gateways: options.gateways, source, accessToken: options.accessToken },
    supervisor,
    (name, detail) => say(`  ${name}: ready after ${clock()}${detail === '' ? '' : ` (${detail})`}`),
    signal,
  );
  const probed = await probeMesh(mesh.report, options.accessToken, signal);
  say(
    probed
      ? `  SELECT 1 through gateway and tunnel: answered after ${clock()}`
      : '  the admin password was changed, so no statement was tried; all processes are ready',
  );
  return mesh;
}

async function prepareSample(layout: Layout, say: Say, signal: AbortSignal): Promise<Source> {
  const clock = stopwatch();
  const generated = await ensureSample(layout.sample, SAMPLE_SCALE, (table) => say(`  sample data: ${table}`), signal);
  if (generated) {
    say(`  sample data: complete after ${clock()}`);
  }
  return { directory: layout.sample, catalog: SAMPLE_CATALOG };
}

async function writeReports(options: AllInOneOptions, layout: Layout, report: MeshReport): Promise<void> {
  const text = `${JSON.stringify(report, undefined, 2)}\n`;
  await writeAtomically(layout.mesh, text, 0o600);
  if (options.readyFile !== undefined) {
    await writeAtomically(options.readyFile, text, 0o600);
  }
}

/** First signal: drain. Second: kill. Copies of one key press, which npm and the shell both pass on, count once. */
function stopOnSignals(stopping: AbortController, supervisor: Supervisor, say: Say): () => void {
  let firstAtMs: number | undefined;
  const onSignal = (): void => {
    if (firstAtMs === undefined) {
      firstAtMs = performance.now();
      say('\nStopping; once more to stop at once.');
      stopping.abort();
    } else if (performance.now() - firstAtMs > SIGNAL_REPEAT_MS) {
      supervisor.kill();
      process.exit(EXIT_INTERRUPTED);
    }
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) {
    process.on(signal, onSignal);
  }
  return () => {
    for (const signal of signals) {
      process.off(signal, onSignal);
    }
  };
}

function stopwatch(): () => string {
  const startedAtMs = performance.now();
  return () => `${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`;
}
