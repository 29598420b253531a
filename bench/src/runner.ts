import { type Bench, type Peer, PeerMissing, type RunningPeer } from './peer.ts';
import { reasonOf } from './reason.ts';
import type { MissingPeer, PeerResult, ScenarioResult } from './results.ts';
import type { LoadClient, MetricDefinition, Scenario } from './scenario.ts';
import { summarize } from './statistics.ts';
import { UsageMeter } from './usage-meter.ts';
import { usageMetricDefinition, usageMetrics } from './usage-metrics.ts';

export interface RunnerOptions {
  readonly bench: Bench;
  readonly peers: readonly Peer[];
  readonly repeats: number;
  readonly startLoadClient: () => Promise<LoadClient>;
  readonly signal: AbortSignal;
}

// A repeat that takes longer is stuck: the longest, TPC-H on a slow machine, takes a tenth of it.
const REPEAT_TIMEOUT_MS = 300_000;

/** One peer in one scenario: its server, its client, and what was measured so far. */
interface Contender {
  readonly peer: Peer;
  readonly running: RunningPeer;
  readonly load: LoadClient;
  readonly samples: Map<string, number[]>;
  failure: string | undefined;
}

/** Runs scenarios one after the other. Peers stay up between scenarios; what is not there is recorded with the reason. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #running = new Map<string, RunningPeer>();
  readonly #missing = new Map<string, MissingPeer>();
  readonly #results: ScenarioResult[] = [];

  constructor(options: RunnerOptions) {
    this.#options = options;
  }

  get missing(): readonly MissingPeer[] {
    return [...this.#missing.values()];
  }

  /** Of the scenarios that are complete, also when the rest was given up. */
  get results(): readonly ScenarioResult[] {
    return this.#results;
  }

  /** Peers stay up as long as another scenario needs them. */
  async runAll(scenarios: readonly Scenario[]): Promise<readonly ScenarioResult[]> {
    for (const [index, scenario] of scenarios.entries()) {
      if (scenario.freshPeers === true) {
        await this.#stopExcept([]);
      }
      this.#results.push(await this.#run(scenario));
      await this.#stopExcept(scenarios.slice(index + 1).flatMap(({ peers }) => peers));
    }
    return this.#results;
  }

  close(): Promise<void> {
    return this.#stopExcept([]);
  }

  async #run(scenario: Scenario): Promise<ScenarioResult> {
    this.#options.bench.log(`${scenario.name}: ${scenario.title}`);
    const contenders = await this.#contenders(scenario);
    try {
      await this.#repeats(scenario, contenders);
    } finally {
      await Promise.all(contenders.map(({ load }) => load.close()));
    }
    return scenarioResult(scenario, contenders);
  }

  async #stopExcept(names: readonly string[]): Promise<void> {
    const stopping = [...this.#running].filter(([name]) => !names.includes(name)).reverse();
    for (const [name, running] of stopping) {
      this.#running.delete(name);
      await running.stop().catch((thrown: unknown) => this.#options.bench.log(`  ${name} did not stop: ${messageOf(thrown)}`));
    }
  }

  /** Every repeat runs all peers, beginning with another one each time, so that a drift of the machine meets all of them alike. */
  async #repeats(scenario: Scenario, contenders: readonly Contender[]): Promise<void> {
    for (const contender of contenders) {
      await this.#repeat(scenario, contender, 'warm-up');
    }
    for (let repeat = 0; repeat < this.#options.repeats; repeat += 1) {
      for (const index of contenders.keys()) {
        const contender = contenders[(index + repeat) % contenders.length];
        if (contender !== undefined) {
          await this.#repeat(scenario, contender, 'timed');
        }
      }
    }
  }

  async #repeat(scenario: Scenario, contender: Contender, kind: 'warm-up' | 'timed'): Promise<void> {
    this.#options.signal.throwIfAborted();
    if (contender.failure !== undefined) {
      return;
    }
    const { running, load, peer } = contender;
    const meter = new UsageMeter(running.processes, load.pid);
    const signal = AbortSignal.any([this.#options.signal, AbortSignal.timeout(REPEAT_TIMEOUT_MS)]);
    try {
      const own = await untilAborted(
        signal,
        scenario.run({ peer: running, load, bench: this.#options.bench, signal, measured: (section) => meter.measured(section) }),
      );
      if (kind === 'timed') {
        record(contender.samples, { ...usageMetrics(meter.usage(), own['bytes']), ...own });
      }
      this.#options.bench.log(`  ${peer.name}${kind === 'warm-up' ? ' (warm-up)' : ''}: ${brief(scenario, own)}`);
    } catch (thrown) {
      this.#options.signal.throwIfAborted();
      contender.failure = reasonOf(thrown);
      this.#options.bench.log(`  ${peer.name}: FAILED: ${messageOf(thrown)}`);
    }
  }

  async #contenders(scenario: Scenario): Promise<readonly Contender[]> {
    const contenders: Contender[] = [];
    for (const name of scenario.peers) {
      const peer = this.#options.peers.find((known) => known.name === name);
      const running = peer === undefined ? undefined : await this.#start(peer);
      if (peer !== undefined && running !== undefined) {
        contenders.push({ peer, running, load: await this.#options.startLoadClient(), samples: new Map(), failure: undefined });
      }
    }
    return contenders;
  }

  async #start(peer: Peer): Promise<RunningPeer | undefined> {
    const running = this.#running.get(peer.name);
    if (running !== undefined || this.#missing.has(peer.name)) {
      return running;
    }
    const { bench, signal } = this.#options;
    try {
      const started = await peer.start(bench, signal);
      this.#running.set(peer.name, started);
      return started;
    } catch (thrown) {
      signal.throwIfAborted();
      const reason = thrown instanceof PeerMissing ? thrown.message : `did not start: ${reasonOf(thrown)}`;
      this.#missing.set(peer.name, { name: peer.name, title: peer.title, reason });
      bench.log(`  ${peer.name}: missing: ${messageOf(thrown)}`);
      return undefined;
    }
  }
}

function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) {
    onAbort();
  }
  return Promise.race([work, aborted.promise]).finally(() => signal.removeEventListener('abort', onAbort));
}

function record(samples: Map<string, number[]>, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    const taken = samples.get(name) ?? [];
    taken.push(value);
    samples.set(name, taken);
  }
}

function scenarioResult({ name, title, metrics, runsForTime }: Scenario, contenders: readonly Contender[]): ScenarioResult {
  const peers = contenders.map(peerResult);
  const measured = new Set(peers.flatMap((peer) => Object.keys(peer.metrics)));
  const usage = [...measured].filter((metric) => !metrics.some((own) => own.name === metric)).map(usageMetricDefinition);
  return {
    name,
    title,
    metrics: [...metrics, ...usage.filter((one): one is MetricDefinition => one !== undefined)],
    peers,
    ...(runsForTime === true ? { runsForTime } : {}),
  };
}

function peerResult({ peer, samples, failure }: Contender): PeerResult {
  const metrics = Object.fromEntries([...samples].map(([metric, values]) => [metric, summarize(values)]));
  return { name: peer.name, title: peer.title, metrics, ...(failure === undefined ? {} : { failure }) };
}

function brief({ metrics }: Scenario, values: Readonly<Record<string, number>>): string {
  return metrics
    .filter(({ name }) => values[name] !== undefined)
    .slice(0, 3)
    .map(({ name, unit }) => `${name} ${Number((values[name] ?? Number.NaN).toPrecision(4))} ${unit}`)
    .join(', ');
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
