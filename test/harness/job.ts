/** A connection and what to do on it; the programs in test/clients all read this. */
export interface Job {
  readonly uri: string;
  readonly caFile?: string;
  readonly user?: string;
  readonly password?: string;
  readonly bearer?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly autocommit?: boolean;
  readonly steps: readonly Step[];
}

export interface Step {
  readonly action: string;
  readonly sql?: string;
  readonly parameters?: readonly unknown[];
  /** `none` executes and never reads, `first` stops after the first batch. */
  readonly read?: 'all' | 'first' | 'none';
  readonly limit?: number;
  readonly reportAfterRows?: number;
  readonly pauseAfterRows?: number;
  /** Tried again for so long while the answer is `unavailable`: gRPC channels wait before they dial again. */
  readonly retryForMs?: number;
  readonly [extra: string]: unknown;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** What a step answered; fields beyond these belong to single actions. */
export interface Outcome {
  readonly ok: boolean;
  readonly error?: Failure;
  readonly elapsedMs: number;
  readonly rowCount?: number;
  readonly rows?: ReadonlyArray<readonly (string | null)[]>;
  readonly columns?: ReadonlyArray<{ readonly name: string; readonly type: string; readonly nullable?: boolean }>;
  readonly updated?: number;
  readonly [extra: string]: unknown;
}

export interface JobResult {
  readonly connectError?: Failure;
  readonly steps: readonly Outcome[];
}

/** A job under way. */
export interface RunningJob {
  readonly done: Promise<JobResult>;
  /** The rows read when the event came; rejects when the job ends without it. */
  event(name: 'progress' | 'paused'): Promise<number>;
  /** Lets a paused job read on. */
  resume(): void;
}

export type ClientName = 'adbc' | 'flight' | 'jdbc' | 'go' | 'jetbridge sql';

/** One client process; it runs one job at a time. */
export interface Client {
  readonly name: ClientName | 'local';
  start(job: Job): RunningJob;
  /** Runs a job to its end. */
  run(job: Job): Promise<JobResult>;
  /** SIGKILL: the client vanishes without a word. */
  kill(): Promise<void>;
}

/** The only outcome of a one-step job; a refused connection is an outcome too. */
export function only(result: JobResult): Outcome {
  if (result.connectError !== undefined) {
    return { ok: false, error: result.connectError, elapsedMs: 0 };
  }
  const [outcome] = result.steps;
  if (outcome === undefined || result.steps.length !== 1) {
    throw new Error(`expected one outcome, got ${JSON.stringify(result)}`);
  }
  return outcome;
}
