import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { FromThread } from './encode-messages.ts';
import {
  ENCODE_THREAD_HEAP_MB,
  ENCODE_THREAD_IDLE_MS,
  ENCODE_THREAD_MORE_MS,
  ENCODE_THREAD_START_MS,
  ENCODE_THREAD_YOUNG_MB,
  ENCODE_THREADS_KEPT,
} from './engine-limits.ts';
import type { FrameBuffers } from './frame-buffers.ts';
import { type JobOrder, ThreadJob } from './thread-job.ts';

// Beside this file, and compiled like it.
const ENTRY = new URL(`./encode-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

const CORES = availableParallelism();

interface Thread {
  readonly worker: Worker;
  job: ThreadJob | undefined;
  idle: NodeJS.Timeout | undefined;
}

/** Threads that execute statements and turn their rows into frames, started as they are needed. Jobs beyond their number wait in order. */
export class EncodeThreads {
  readonly #threadsMax: number;
  readonly #buffers: FrameBuffers;
  readonly #entry: URL;
  readonly #threads = new Set<Thread>();
  readonly #waiting: ThreadJob[] = [];
  #nextId = 1;
  #starting: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(threadsMax: number, buffers: FrameBuffers, entry = ENTRY) {
    this.#threadsMax = threadsMax;
    this.#buffers = buffers;
    this.#entry = entry;
  }

  /** Starts the first thread and waits until it works, so that no statement has to. */
  async warm(): Promise<void> {
    const { worker } = this.#start();
    await once(worker, 'message');
    worker.unref();
  }

  /** Runs a job as soon as a thread is free. */
  run(order: JobOrder): ThreadJob {
    const job = new ThreadJob(this.#nextId++, order, this.#buffers, () => this.#waiting.length > 0);
    if (this.#closed) {
      job.lost();
      return job;
    }
    // The one that worked last: its caches are warm, and the others become superfluous.
    const free = [...this.#threads].findLast((thread) => thread.job === undefined);
    if (free) {
      this.#give(free, job);
    } else if (this.#threads.size < ENCODE_THREADS_KEPT) {
      this.#give(this.#start(), job);
    } else {
      this.#waiting.push(job);
      this.#delayStart();
    }
    return job;
  }

  /**
   * A job that soon gets a thread needs no new one: short statements would pay its start without ever using it. Once every core has a thread,
   * more of them help only where those there are keep the same job waiting for long, not where many short ones take turns.
   */
  #delayStart(): void {
    if (this.#threads.size >= this.#threadsMax) {
      return;
    }
    const foremost = this.#waiting[0];
    const everyCore = this.#threads.size >= CORES;
    this.#starting ??= setTimeout(
      () => {
        this.#starting = undefined;
        if (!everyCore || this.#waiting[0] === foremost) {
          this.#startForWaiting();
        }
        if (this.#waiting.length > 0) {
          this.#delayStart();
        }
      },
      everyCore ? ENCODE_THREAD_MORE_MS : ENCODE_THREAD_START_MS,
    );
  }

  #startForWaiting(): void {
    const job = this.#waiting.shift();
    if (job) {
      this.#give(this.#start(), job);
    }
  }

  /** Ends all threads. Their jobs must have ended, or be about to: a native call is not left in the middle. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#starting);
    for (const job of this.#waiting.splice(0)) {
      job.lost();
    }
    await Promise.all([...this.#threads].map((thread) => thread.worker.terminate()));
  }

  #start(): Thread {
    const worker = new Worker(this.#entry, {
      name: 'encode',
      resourceLimits: { maxOldGenerationSizeMb: ENCODE_THREAD_HEAP_MB, maxYoungGenerationSizeMb: ENCODE_THREAD_YOUNG_MB },
    });
    const thread: Thread = { worker, job: undefined, idle: undefined };
    worker.on('message', (message: FromThread) => this.#receive(thread, message));
    worker.on('error', () => this.#forget(thread));
    worker.on('exit', () => this.#forget(thread));
    this.#threads.add(thread);
    return thread;
  }

  #give(thread: Thread, job: ThreadJob): void {
    clearTimeout(thread.idle);
    thread.job = job;
    // A statement that runs keeps the process alive, a thread that waits does not.
    thread.worker.ref();
    job.start(thread.worker);
  }

  #receive(thread: Thread, message: FromThread): void {
    const job = thread.job;
    if (job?.id !== message.id) {
      return;
    }
    if (message.outcome) {
      thread.job = undefined;
      this.#next(thread);
    }
    job.receive(message);
  }

  #next(thread: Thread): void {
    const job = this.#waiting.shift();
    if (job) {
      this.#give(thread, job);
      return;
    }
    thread.worker.unref();
    // Last in the set: the next job takes it.
    this.#threads.delete(thread);
    this.#threads.add(thread);
    if (this.#threads.size > ENCODE_THREADS_KEPT) {
      thread.idle = setTimeout(() => this.#endIdle(thread), ENCODE_THREAD_IDLE_MS).unref();
    }
  }

  #endIdle(thread: Thread): void {
    if (thread.job === undefined && this.#threads.size > ENCODE_THREADS_KEPT) {
      this.#threads.delete(thread);
      void thread.worker.terminate();
    }
  }

  /** A thread that broke down takes its job with it; those that wait get a new one. */
  #forget(thread: Thread): void {
    clearTimeout(thread.idle);
    this.#threads.delete(thread);
    const job = thread.job;
    thread.job = undefined;
    job?.lost();
    const next = this.#closed ? undefined : this.#waiting.shift();
    if (next) {
      this.#give(this.#start(), next);
    }
  }
}
