import { type ChildProcess, spawn } from 'node:child_process';
import { jetbridgeCommand, repositoryRoot } from './command.ts';
import type { Client, Job, JobResult, Outcome, RunningJob, Step } from './job.ts';

const NEWLINE = 0x0a;

/** The `jetbridge sql` command behind the interface of the other clients: one process per step, rows as JSON lines. */
export class JetbridgeSql implements Client {
  readonly name = 'jetbridge sql' as const;
  #child: ChildProcess | undefined;

  start(job: Job): RunningJob {
    const events = { progress: Promise.withResolvers<number>(), paused: Promise.withResolvers<number>() };
    const resumed = Promise.withResolvers<void>();
    events.progress.promise.catch(() => undefined);
    events.paused.promise.catch(() => undefined);
    const run = async (): Promise<JobResult> => {
      const steps: Outcome[] = [];
      for (const step of job.steps) {
        if (step.action === 'wait') {
          events.paused.resolve(0);
          await resumed.promise;
          steps.push({ ok: true, elapsedMs: 0 });
        } else {
          steps.push(await this.#runStep(job, step, events.progress.resolve));
        }
      }
      const late = new Error(`the jetbridge sql job ended without the event: ${JSON.stringify(steps).slice(0, 2_000)}`);
      events.progress.reject(late);
      events.paused.reject(late);
      return { steps };
    };
    return { done: run(), event: (name) => events[name].promise, resume: () => resumed.resolve() };
  }

  run(job: Job): Promise<JobResult> {
    return this.start(job).done;
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
  }

  #runStep(job: Job, step: Step, onProgress: (rows: number) => void): Promise<Outcome> {
    const started = performance.now();
    const connection = [
      '--uri',
      job.uri,
      ...(job.caFile === undefined ? [] : ['--ca', job.caFile]),
      ...(job.user === undefined ? [] : ['--user', job.user]),
    ];
    const command = jetbridgeCommand('sql', ...connection, '--format', 'csv', '-c', step.sql ?? '');
    const child = spawn(command.program, command.args, {
      cwd: repositoryRoot,
      env: { ...process.env, ...(job.password === undefined ? {} : { JETBRIDGE_PASSWORD: job.password }) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const reader = new CsvReader(step, onProgress);
    child.stdout.on('data', (chunk: Buffer) => reader.take(chunk));
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-4_000);
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) =>
        resolve({ ...reader.outcome(), ...ending(code, complaint), elapsedMs: Math.round(performance.now() - started) }),
      );
    });
  }
}

function ending(code: number | null, complaint: string): Pick<Outcome, 'ok' | 'error'> {
  if (code === 0) {
    return { ok: true };
  }
  return { ok: false, error: { code: /\(([a-z_]+)\)\s*$/.exec(complaint)?.[1] ?? 'unknown', message: complaint } };
}

/** Counts the rows of CSV without quoted newlines and keeps the first few. */
class CsvReader {
  readonly #limit: number;
  #reportAt: number;
  readonly #onProgress: (rows: number) => void;
  #lines = 0;
  #head = '';

  constructor(step: Step, onProgress: (rows: number) => void) {
    this.#limit = step.limit ?? 100;
    this.#reportAt = step.reportAfterRows ?? Number.POSITIVE_INFINITY;
    this.#onProgress = onProgress;
  }

  take(chunk: Buffer): void {
    if (this.#lines <= this.#limit) {
      this.#head += chunk.toString('utf8');
    }
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, at + 1)) {
      this.#lines += 1;
    }
    if (this.#lines > this.#reportAt) {
      this.#reportAt = Number.POSITIVE_INFINITY;
      this.#onProgress(this.#lines - 1);
    }
  }

  outcome(): Pick<Outcome, 'columns' | 'rows' | 'rowCount'> {
    const [header, ...rows] = this.#head
      .trimEnd()
      .split(/\r?\n/)
      .slice(0, this.#limit + 1);
    const columns = (header ?? '').split(',').map((name) => ({ name, type: 'text' }));
    return {
      columns,
      rows: rows.map((row) => row.split(',').map((cell) => (cell === '' ? null : cell))),
      rowCount: Math.max(0, this.#lines - 1),
    };
  }
}
