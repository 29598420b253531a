import { setTimeout as delay } from 'node:timers/promises';
import {
  CHILD_DRAIN_MS,
  CHILD_READY_TIMEOUT_MS,
  LIVENESS_INTERVAL_MS,
  LIVENESS_MISSES,
  LIVENESS_TIMEOUT_MS,
  RESTART_FIRST_DELAY_MS,
  RESTART_MAX_DELAY_MS,
  RESTART_MAX_FAILURES,
  RESTART_STABLE_MS,
} from '../limits.ts';
import { CommandError, EXIT_USAGE } from '../usage.ts';
import { type Child, type ChildPlan, describeExit, type Exit, logExcerpt, type ReadyReport, startChild } from './child.ts';
import { type LivenessPolicy, standsStill } from './liveness.ts';

/** When and how often a dead child is started again. */
export interface RestartPolicy {
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  readonly maxFailures: number;
  readonly stableMs: number;
  readonly readyTimeoutMs: number;
  readonly drainMs: number;
  readonly liveness: LivenessPolicy;
}

export const RESTART_POLICY: RestartPolicy = {
  firstDelayMs: RESTART_FIRST_DELAY_MS,
  maxDelayMs: RESTART_MAX_DELAY_MS,
  maxFailures: RESTART_MAX_FAILURES,
  stableMs: RESTART_STABLE_MS,
  readyTimeoutMs: CHILD_READY_TIMEOUT_MS,
  drainMs: CHILD_DRAIN_MS,
  liveness: { intervalMs: LIVENESS_INTERVAL_MS, timeoutMs: LIVENESS_TIMEOUT_MS, misses: LIVENESS_MISSES },
};

/** What the supervisor tells while it works. `back` follows every `died` that could be healed. */
export interface SupervisorEvents {
  died(name: string, reason: string, delayMs: number): void;
  back(name: string, report: ReadyReport): Promise<void> | void;
  stopping(name: string): void;
}

/** Made anew for every start of the child, so that it can pin the ports of the first start. */
export type MakePlan = () => Promise<ChildPlan>;

interface Part {
  readonly name: string;
  readonly makePlan: MakePlan;
  child: Child;
  /** Set while its end is wanted and no failure; called when its successor has started. */
  replaced: (() => void) | undefined;
  /** Set when it was killed because it did not answer any more. */
  frozen: boolean;
  watched: Promise<void>;
}

/** Runs children in the order they were added, heals the ones that die, and stops them in reverse order. */
export class Supervisor {
  readonly #events: SupervisorEvents;
  readonly #policy: RestartPolicy;
  readonly #parts: Part[] = [];
  readonly #ended = new AbortController();

  constructor(events: SupervisorEvents, policy: RestartPolicy = RESTART_POLICY) {
    this.#events = events;
    this.#policy = policy;
  }

  /** Starts a child and waits until it is ready; a child that fails now is not started again. */
  async add(makePlan: MakePlan, signal: AbortSignal): Promise<ReadyReport> {
    const until = AbortSignal.any([signal, this.#ended.signal]);
    until.throwIfAborted();
    const plan = await makePlan();
    const part: Part = {
      name: plan.name,
      makePlan,
      child: await startChild(plan),
      replaced: undefined,
      frozen: false,
      watched: Promise.resolve(),
    };
    this.#parts.push(part);
    const report = await part.child.ready(until, this.#policy.readyTimeoutMs);
    this.#guard(part, plan, report).catch((error: unknown) => this.#ended.abort(error));
    part.watched = this.#watch(part);
    part.watched.catch((error: unknown) => this.#ended.abort(error));
    return report;
  }

  /** Ends when `signal` does; rejects when a child keeps failing. The children still run then: call `stop`. */
  async run(signal: AbortSignal): Promise<void> {
    await aborted(AbortSignal.any([signal, this.#ended.signal]));
    if (!signal.aborted) {
      throw this.#ended.signal.reason;
    }
  }

  /** Drains a child and starts it anew; its end counts as no failure. Resolves when the new one is ready or has failed. */
  async replace(name: string): Promise<void> {
    const part = this.#parts.find((candidate) => candidate.name === name);
    if (part !== undefined) {
      const replacement = Promise.withResolvers<void>();
      part.replaced = replacement.resolve;
      await part.child.stop(this.#policy.drainMs);
      await Promise.race([replacement.promise, aborted(this.#ended.signal)]);
    }
  }

  pid(name: string): number | undefined {
    return this.#parts.find((part) => part.name === name)?.child.pid;
  }

  logFiles(): readonly string[] {
    return this.#parts.map(({ child }) => child.logFile);
  }

  /** Drains the children one after the other, the last added first. */
  async stop(): Promise<void> {
    this.#ended.abort(new CommandError('stopped'));
    for (const part of this.#parts.toReversed()) {
      await part.watched.catch(() => undefined);
      this.#events.stopping(part.name);
      await part.child.stop(this.#policy.drainMs);
    }
  }

  kill(): void {
    this.#ended.abort(new CommandError('stopped'));
    for (const { child } of this.#parts) {
      child.kill();
    }
  }

  /** Resolves when the supervisor ends, rejects when the child cannot be healed. */
  async #watch(part: Part): Promise<void> {
    const { signal } = this.#ended;
    let failures = 0;
    let startedAtMs = performance.now();
    for (;;) {
      const exit = await Promise.race([part.child.exited, aborted(signal)]);
      if (exit === undefined || signal.aborted) {
        return;
      }
      if (part.replaced === undefined) {
        if (performance.now() - startedAtMs > this.#policy.stableMs) {
          failures = 0;
        }
        failures += 1;
        await this.#mourn(part, exit, failures);
      }
      if (signal.aborted) {
        return;
      }
      startedAtMs = performance.now();
      await this.#restart(part);
      part.replaced?.();
      part.replaced = undefined;
    }
  }

  /** Tells of the death and waits as long as the number of failures asks for; rejects when it is one too many. */
  async #mourn(part: Part, exit: Exit, failures: number): Promise<void> {
    const end = part.frozen ? 'did not answer any more and was killed' : describeExit(exit);
    const reason = `${part.name} ${end}${await logExcerpt(part.child.logFile)}`;
    if (exit.code === EXIT_USAGE || failures > this.#policy.maxFailures) {
      throw new CommandError(failures > 1 ? `${reason}\n${part.name} failed ${failures} times in a row` : reason);
    }
    const delayMs = Math.min(this.#policy.firstDelayMs * 2 ** (failures - 1), this.#policy.maxDelayMs);
    this.#events.died(part.name, reason, delayMs);
    await delay(delayMs, undefined, { signal: this.#ended.signal }).catch(() => undefined);
  }

  /** A frozen process holds its sockets, so its clients would wait for ever: killing it is how they learn. */
  async #guard(part: Part, plan: ChildPlan, report: ReadyReport): Promise<void> {
    if (plan.health === undefined) {
      return;
    }
    const { child } = part;
    const over = new AbortController();
    child.exited.then(
      () => over.abort(),
      () => over.abort(),
    );
    const signal = AbortSignal.any([over.signal, this.#ended.signal]);
    if (await standsStill(plan.health(report), this.#policy.liveness, signal)) {
      part.frozen = true;
      child.kill();
    }
  }

  /** A child that does not become ready is ended, so that the watch sees it die and counts it. */
  async #restart(part: Part): Promise<void> {
    const { signal } = this.#ended;
    const plan = await part.makePlan();
    part.child = await startChild(plan);
    part.frozen = false;
    try {
      const report = await part.child.ready(signal, this.#policy.readyTimeoutMs);
      this.#guard(part, plan, report).catch((error: unknown) => this.#ended.abort(error));
      await this.#events.back(part.name, report);
    } catch (error) {
      if (!(error instanceof CommandError) && !signal.aborted) {
        throw error;
      }
      if (!signal.aborted) {
        part.child.kill();
      }
    }
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve(undefined);
    } else {
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    }
  });
}
