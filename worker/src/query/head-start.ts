import { StatusError } from '@jetbridge/proto/status-error';
import type { Schema } from 'apache-arrow';
import type { ResultFrame } from '../engine/engine.ts';
import type { EngineMeter } from './executor.ts';
import type { ResultSink, Run } from './run-context.ts';

/** A whole small result. Its frames are to be released by whoever sends them. */
export interface WholeResult {
  readonly schema: Schema;
  readonly frames: readonly ResultFrame[];
  readonly bytes: number;
}

/**
 * A query that runs before it is fetched. Its rows are collected up to a bound; beyond it the query stands still, holding its connection and
 * what the engine has read ahead, until a reader adopts it or it is stopped. A reader gets everything from the first row on, and the query's
 * end is the reader's own: its error, too.
 */
export class HeadStart implements ResultSink {
  readonly #abort = new AbortController();
  readonly #meter: EngineMeter = { engineMicros: 0 };
  readonly #bytesMax: number;
  readonly #decided = Promise.withResolvers<'whole' | 'unfit' | 'failed'>();
  #ended: Promise<void> = Promise.resolve();
  #schema: Schema | undefined;
  readonly #frames: ResultFrame[] = [];
  #bytes = 0;
  #reader: ResultSink | undefined;
  #goOn: (() => void) | undefined;
  #reportedMicros = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Begins. `read` runs the query into the sink it is given. */
  begin(read: (run: Run, sink: ResultSink) => Promise<void>): void {
    this.#abort.signal.addEventListener('abort', () => this.#goOn?.(), { once: true });
    this.#ended = read({ signal: this.#abort.signal, meter: this.#meter }, this);
    this.#ended.then(
      () => this.#decided.resolve('whole'),
      () => this.#decided.resolve('failed'),
    );
  }

  schema(schema: Schema): void {
    if (this.#reader === undefined) {
      this.#schema = schema;
    } else {
      this.#reader.schema(schema);
    }
  }

  frame(frame: ResultFrame): Promise<void> | undefined {
    if (this.#reader !== undefined) {
      return this.#reader.frame(frame);
    }
    if (this.#abort.signal.aborted) {
      frame.release();
      return undefined;
    }
    this.#frames.push(frame);
    this.#bytes += frame.bytes.length;
    if (this.#bytes <= this.#bytesMax) {
      return undefined;
    }
    this.#decided.resolve('unfit');
    return new Promise((resolve) => {
      this.#goOn = resolve;
    });
  }

  /** Whether the result turned out to be small. Stays open while the query runs and nothing speaks against it. */
  get decided(): Promise<'whole' | 'unfit' | 'failed'> {
    return this.#decided.promise;
  }

  /** The engine's time that was not taken yet. */
  takeEngineMicros(): number {
    const micros = this.#meter.engineMicros - this.#reportedMicros;
    this.#reportedMicros = this.#meter.engineMicros;
    return micros;
  }

  /** What a query that is `whole` has answered, once. */
  takeWhole(): WholeResult | undefined {
    return this.#schema === undefined ? undefined : { schema: this.#schema, frames: this.#frames.splice(0), bytes: this.#bytes };
  }

  /** Gives the reader what there is, then everything that follows; settles as the query does. The reader's signal interrupts it. */
  async adopt(run: Run, reader: ResultSink): Promise<void> {
    const onAbort = (): void => this.stop(run.signal.reason);
    run.signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (run.signal.aborted) {
        onAbort();
      }
      await this.#handOver(run.signal, reader);
      await this.#ended;
    } finally {
      run.signal.removeEventListener('abort', onAbort);
      run.meter.engineMicros += this.takeEngineMicros();
    }
  }

  // Frames may still arrive while earlier ones wait for the reader: whatever comes meanwhile queues behind them.
  async #handOver(signal: AbortSignal, reader: ResultSink): Promise<void> {
    if (this.#schema !== undefined) {
      reader.schema(this.#schema);
    }
    for (let frame = this.#frames.shift(); frame !== undefined; frame = this.#frames.shift()) {
      this.#bytes -= frame.bytes.length;
      await reader.frame(frame);
      signal.throwIfAborted();
    }
    this.#reader = reader;
    this.#goOn?.();
  }

  /** Interrupts the query and drops what it has read. Idempotent. */
  stop(reason: unknown = new StatusError('cancelled', 'nobody fetched the result in time')): void {
    this.#abort.abort(reason);
    this.#decided.resolve('failed');
    for (const frame of this.#frames.splice(0)) {
      frame.release();
    }
  }
}
