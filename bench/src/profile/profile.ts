import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ownModule } from '../own-module.ts';
import type { Bench, Peer, ServerProcess } from '../peer.ts';
import type { LoadClient, Scenario } from '../scenario.ts';
import { profileChildren } from './config.ts';
import { type CpuProfile, type ProfileSummary, summarize } from './cpu-profile.ts';
import { flamePage, functionLines, milliseconds } from './flame-html.ts';

export interface ProfileOptions {
  readonly scenario: Scenario;
  readonly peer: Peer;
  readonly bench: Bench;
  /** Made if need be; holds the .cpuprofile files, the pages and summary.txt afterwards. */
  readonly directory: string;
  readonly openLoad: () => Promise<LoadClient>;
  readonly signal: AbortSignal;
}

const PRELOAD = ownModule('./preload', import.meta.url);
const LINES = 25;
const TICKS_PER_SECOND = 100;
const WRITTEN_LIMIT_MS = 20_000;
const POLL_MS = 50;

interface Sampled extends ServerProcess {
  readonly cpuSeconds: number;
}

/** Runs a scenario once to warm up and once with every Node process of the peer sampled; answers the text summary. */
export async function profileScenario(options: ProfileOptions): Promise<string> {
  const { scenario, peer, bench, directory, openLoad, signal } = options;
  await mkdir(directory, { recursive: true });
  profileChildren(directory, PRELOAD);
  const running = await peer.start(bench, signal);
  const load = await openLoad();
  const texts: string[] = [];
  let section = 0;
  const measured = async <T>(timed: () => Promise<T>): Promise<T> => {
    section += 1;
    const processes = nodeProcesses(running.processes);
    const before = processes.map(({ pid }) => cpuSecondsOf(pid));
    const startedAt = performance.now();
    toggle(processes);
    const result = await timed();
    toggle(processes);
    const wallMs = performance.now() - startedAt;
    const sampled = processes.map((one, i) => ({ ...one, cpuSeconds: cpuSecondsOf(one.pid) - (before[i] ?? 0) }));
    await written(directory, processes);
    texts.push(await report(`${scenario.name} · ${peer.name} · section ${section}`, `${section}`, sampled, wallMs, directory));
    return result;
  };
  try {
    bench.log('warming up');
    await scenario.run({ peer: running, load, bench, signal, measured: (timed) => timed() });
    bench.log('profiling');
    const metrics = await scenario.run({ peer: running, load, bench, signal, measured });
    texts.unshift(`metrics while profiled (slower than without): ${JSON.stringify(metrics)}`);
  } finally {
    await load.close();
    await running.stop();
  }
  const text = `${texts.join('\n\n')}\n`;
  await writeFile(join(directory, 'summary.txt'), text);
  return text;
}

async function report(title: string, section: string, processes: readonly Sampled[], wallMs: number, directory: string): Promise<string> {
  const parts: string[] = [`== ${title}, ${wallMs.toFixed(0)} ms`];
  for (const one of processes) {
    const files = (await readdir(directory)).filter((name) => name.startsWith(`${one.pid}-`) && name.endsWith('.cpuprofile')).sort();
    parts.push(`\n${one.stage} (pid ${one.pid}): ${one.cpuSeconds.toFixed(2)} s of CPU in all its threads, native ones included`);
    for (const file of files) {
      const profile = JSON.parse(await readFile(join(directory, file), 'utf8')) as CpuProfile;
      await rm(join(directory, file));
      const summary = summarize(profile);
      const thread = file.replace(`${one.pid}-`, '').replace('.cpuprofile', '');
      if (summary.functions.length === 0 || isQuiet(summary)) {
        continue;
      }
      const name = `${section}-${one.stage}-${one.pid}-thread${thread}`;
      await writeFile(join(directory, `${name}.cpuprofile`), JSON.stringify(profile));
      const busy = `JavaScript thread ${thread}: busy ${milliseconds(summary.busyMicros)} of ${milliseconds(summary.wallMicros)} ms`;
      await writeFile(join(directory, `${name}.html`), flamePage({ title: `${one.stage}: ${title}`, subtitle: busy }, summary));
      parts.push(` ${busy} → ${name}.html`, ...functionLines(summary, LINES));
    }
  }
  return parts.join('\n');
}

// A pool thread that waited all the time is not worth a page.
function isQuiet({ busyMicros, wallMicros }: ProfileSummary): boolean {
  return busyMicros < wallMicros / 100;
}

function toggle(processes: readonly ServerProcess[]): void {
  for (const { pid } of processes) {
    // Ignored by default: a process that does not listen yet lives on.
    process.kill(pid, 'SIGWINCH');
  }
}

/** The main thread's file of each process exists and no file grows any more. */
async function written(directory: string, processes: readonly ServerProcess[]): Promise<void> {
  const deadline = performance.now() + WRITTEN_LIMIT_MS;
  let before = '';
  for (;;) {
    await delay(POLL_MS * 4);
    const names = (await readdir(directory)).filter((name) => /^\d+-\d+\.cpuprofile$/.test(name));
    const complete = processes.every(({ pid }) => names.includes(`${pid}-0.cpuprofile`)) && names.every((name) => isWhole(directory, name));
    const now = names.join();
    if ((complete && now === before) || performance.now() > deadline) {
      return;
    }
    before = now;
  }
}

function isWhole(directory: string, name: string): boolean {
  try {
    JSON.parse(readFileSync(join(directory, name), 'utf8'));
    return true;
  } catch {
    return false;
  }
}

/** The Node processes among a peer's processes and their descendants. */
function nodeProcesses(processes: readonly ServerProcess[]): readonly ServerProcess[] {
  const parents = parentOfAll();
  const found = new Map<number, string>();
  for (const { pid, stage } of processes) {
    for (const candidate of [pid, ...descendantsOf(pid, parents)]) {
      if (isProfiled(candidate) && !found.has(candidate)) {
        found.set(candidate, stage);
      }
    }
  }
  return [...found].map(([pid, stage]) => ({ pid, stage }));
}

function isProfiled(pid: number): boolean {
  try {
    return (
      readlinkSync(`/proc/${pid}/exe`).includes('node') &&
      readFileSync(`/proc/${pid}/environ`, 'latin1').includes('BENCH_PROFILE_DIRECTORY=')
    );
  } catch {
    return false;
  }
}

function descendantsOf(pid: number, parents: ReadonlyMap<number, number>): readonly number[] {
  const children = [...parents].filter(([, parent]) => parent === pid).map(([child]) => child);
  return children.flatMap((child) => [child, ...descendantsOf(child, parents)]);
}

function parentOfAll(): ReadonlyMap<number, number> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return new Map(pids.map((pid) => [Number(pid), Number(statOf(Number(pid))[1])]));
}

/** The fields of /proc/PID/stat from the third on (proc_pid_stat(5)): state, parent … */
function statOf(pid: number): readonly string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function cpuSecondsOf(pid: number): number {
  const stat = statOf(pid);
  return (Number(stat[11] ?? 0) + Number(stat[12] ?? 0)) / TICKS_PER_SECOND;
}
