import type { EngineConnection } from '../engine/engine.ts';
import { ENGINE_CALLS_MAX, INTERRUPT_REPEAT_MS, STATEMENTS_WAITING_MAX } from '../limits.ts';
import { Gate } from './gate.ts';

/** Adds up the time the engine worked for one call. */
export interface EngineMeter {
  engineMicros: number;
}

/**
 * The one door to the engine: bounds how much it does at once, makes an aborted signal interrupt it, and measures it.
 * Whatever fails after the signal fired, fails with the signal's reason.
 */
export class Executor {
  readonly #gate = new Gate(
    ENGINE_CALLS_MAX,
    STATEMENTS_WAITING_MAX,
    'this worker runs as many statements as it can and its queue is full; try again in a moment or add a worker to the pool',
  );
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** True when new work would wait. */
  get full(): boolean {
    return this.#gate.taken;
  }

  /** Starts new work: refused with `resource_exhausted` when too much waits. */
  run<T>(connection: EngineConnection, signal: AbortSignal, meter: EngineMeter, work: () => Promise<T>): Promise<T> {
    return this.#run(connection, signal, meter, work, 'new');
  }

  /** Goes on with what was begun: waits its turn, however long the queue is. Without a connection there is nothing to interrupt. */
  resume<T>(connection: EngineConnection | undefined, signal: AbortSignal, meter: EngineMeter, work: () => Promise<T>): Promise<T> {
    return this.#run(connection, signal, meter, work, 'running');
  }

  async #run<T>(
    connection: EngineConnection | undefined,
    signal: AbortSignal,
    meter: EngineMeter,
    work: () => Promise<T>,
    priority: 'new' | 'running',
  ): Promise<T> {
    await this.#gate.enter(signal, priority);
    if (signal.aborted) {
      this.#gate.leave();
      throw signal.reason;
    }
    const startedMs = this.#nowMs();
    const stopWatching = connection === undefined ? undefined : interruptOnAbort(connection, signal);
    try {
      return await work();
    } catch (thrown) {
      signal.throwIfAborted();
      throw thrown;
    } finally {
      stopWatching?.();
      meter.engineMicros += Math.round((this.#nowMs() - startedMs) * 1000);
      this.#gate.leave();
    }
  }
}

// The engine forgets an interrupt that arrives while it is between two steps, so it is told again until the work has ended.
function interruptOnAbort(connection: EngineConnection, signal: AbortSignal): () => void {
  let repeat: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    connection.interrupt();
    repeat = setInterval(() => connection.interrupt(), INTERRUPT_REPEAT_MS);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  return () => {
    signal.removeEventListener('abort', onAbort);
    clearInterval(repeat);
  };
}
