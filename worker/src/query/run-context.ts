import type { Schema } from 'apache-arrow';
import type { ResultFrame } from '../engine/engine.ts';
import type { EngineMeter } from './executor.ts';

/** One call's grip on the statements it runs: when its signal fires they stop. */
export interface Run {
  readonly signal: AbortSignal;
  readonly meter: EngineMeter;
}

/** Where a result goes. A returned promise asks for patience: nothing more is computed until it resolves. */
export interface ResultSink {
  schema(schema: Schema): void;
  frame(frame: ResultFrame): Promise<void> | undefined;
}
