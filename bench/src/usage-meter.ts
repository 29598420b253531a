import type { ServerProcess } from './peer.ts';
import { cpuSOf, type ProcessUsage, peakRssBytesOf, resetPeak, rssBytesOf } from './process-usage.ts';

/** What every stage used over one timed section; 'client' is the load client. */
export interface SectionUsage {
  readonly seconds: number;
  readonly stages: Readonly<Record<string, ProcessUsage>>;
}

export const CLIENT_STAGE = 'client';

// Only where the kernel does not let us reset its own record.
const POLL_INTERVAL_MS = 20;

/** Measures processes around timed sections of one sample. Several sections of a sample add up; peaks do not. */
export class UsageMeter {
  readonly #processes: readonly ServerProcess[];
  #seconds = 0;
  readonly #used = new Map<string, { cpuS: number; peakRssBytes: number }>();

  constructor(servers: readonly ServerProcess[], clientPid: number) {
    this.#processes = [...servers, { stage: CLIENT_STAGE, pid: clientPid }];
  }

  async measured<T>(section: () => Promise<T>): Promise<T> {
    const peaks = this.#processes.map(watchPeak);
    const before = this.#processes.map(({ pid }) => cpuSOf(pid));
    const startedAtMs = performance.now();
    try {
      return await section();
    } finally {
      this.#seconds += (performance.now() - startedAtMs) / 1000;
      const after = this.#processes.map(({ pid }) => cpuSOf(pid));
      const section = new Map<string, { cpuS: number; peakRssBytes: number }>();
      for (const [index, { stage }] of this.#processes.entries()) {
        const used = section.get(stage) ?? { cpuS: 0, peakRssBytes: 0 };
        used.cpuS += (after[index] ?? 0) - (before[index] ?? 0);
        used.peakRssBytes += peaks[index]?.() ?? 0;
        section.set(stage, used);
      }
      this.#add(section);
    }
  }

  /** Undefined when nothing was measured. */
  usage(): SectionUsage | undefined {
    return this.#used.size === 0 ? undefined : { seconds: this.#seconds, stages: Object.fromEntries(this.#used) };
  }

  #add(section: ReadonlyMap<string, ProcessUsage>): void {
    for (const [stage, { cpuS, peakRssBytes }] of section) {
      const sofar = this.#used.get(stage) ?? { cpuS: 0, peakRssBytes: 0 };
      this.#used.set(stage, { cpuS: sofar.cpuS + cpuS, peakRssBytes: Math.max(sofar.peakRssBytes, peakRssBytes) });
    }
  }
}

/** Starts watching; the answer ends it and says the peak. */
function watchPeak({ pid }: ServerProcess): () => number {
  if (resetPeak(pid)) {
    return () => peakRssBytesOf(pid);
  }
  let peak = rssBytesOf(pid);
  const timer = setInterval(() => {
    peak = Math.max(peak, rssBytesOf(pid));
  }, POLL_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    return Math.max(peak, rssBytesOf(pid));
  };
}
