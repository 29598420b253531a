import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { StatusError } from '@jetbridge/proto/status-error';
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { DATABASE_ACQUIRE_TIMEOUT_MS, DATABASE_OPEN_TIMEOUT_MS, MAX_DATABASE_WAITERS } from '../limits.ts';
import type { PGliteReply, PGliteRequest, PGliteThreadTask } from './pglite-thread.ts';

interface Waiter {
  readonly resolve: (client: PostgresPoolClient) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

interface Pending {
  readonly resolve: (result: PostgresQueryResult<never>) => void;
  readonly reject: (error: Error) => void;
}

/** What `pg.Pool` is to Kysely, over the one connection of a PGlite in a worker thread. */
export interface PGlitePool extends PostgresPool {
  /** Settles when the thread ended by itself: nothing works after that. */
  readonly failed: Promise<Error>;
  readonly waiting: number;
}

/** Opens the database in `directory`, creating it first if need be. The caller holds the owner lock. */
export async function openPGlitePool(directory: string): Promise<PGlitePool> {
  // WebAssembly stays with V8's fast compiler: optimising PGlite takes 600 MB and seconds of CPU, and makes our small
  // statements no faster. V8 takes these for the whole process, before any WebAssembly is compiled.
  setFlagsFromString('--no-wasm-tier-up');
  setFlagsFromString('--no-wasm-dynamic-tiering');
  if (!existsSync(join(directory, 'PG_VERSION'))) {
    await ended(startThread({ directory, task: 'create' }));
  }
  const thread = startThread({ directory, task: 'serve' });
  const pool = new ThreadPool(thread);
  await pool.opened;
  return pool;
}

function startThread(task: PGliteThreadTask): Worker {
  // Sources run as TypeScript, the build as JavaScript.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./pglite-thread.${extension}`, import.meta.url), { workerData: task });
}

function ended(thread: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => void thread.terminate(), DATABASE_OPEN_TIMEOUT_MS);
    thread.once('error', reject);
    thread.once('exit', (exitCode) => {
      clearTimeout(timer);
      if (exitCode === 0) {
        resolve();
      } else {
        reject(new StatusError('unavailable', 'the embedded database could not be created in time'));
      }
    });
  });
}

class ThreadPool implements PGlitePool {
  readonly options = {};
  readonly opened: Promise<void>;
  readonly failed: Promise<Error>;
  readonly #thread: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #waiters: Waiter[] = [];
  #lastId = 0;
  #taken = false;
  #state: 'open' | 'closing' | 'ended' = 'open';

  constructor(thread: Worker) {
    this.#thread = thread;
    const opened = Promise.withResolvers<void>();
    const failed = Promise.withResolvers<Error>();
    this.opened = opened.promise;
    this.failed = failed.promise;
    const timer = setTimeout(() => void thread.terminate(), DATABASE_OPEN_TIMEOUT_MS);
    let reason: Error = new StatusError('unavailable', 'the embedded database ended');
    thread.on('message', (reply: PGliteReply) => {
      if (reply.kind === 'ready') {
        clearTimeout(timer);
        opened.resolve();
      } else {
        this.#settle(reply);
      }
    });
    thread.once('error', (error: Error) => {
      reason = error;
    });
    thread.once('exit', () => {
      clearTimeout(timer);
      const asked = this.#state === 'closing';
      this.#state = 'ended';
      this.#rejectAll(reason);
      opened.reject(reason);
      if (!asked) {
        failed.resolve(reason);
      }
    });
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  connect(): Promise<PostgresPoolClient> {
    if (this.#state !== 'open') {
      return Promise.reject(new StatusError('unavailable', 'the embedded database is closed'));
    }
    if (!this.#taken) {
      this.#taken = true;
      return Promise.resolve(this.#client());
    }
    if (this.#waiters.length >= MAX_DATABASE_WAITERS) {
      return Promise.reject(new StatusError('unavailable', 'the database is overloaded', { retryAfterMs: 1000 }));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#giveUp(waiter), DATABASE_ACQUIRE_TIMEOUT_MS);
      const waiter: Waiter = { resolve, reject, timer };
      this.#waiters.push(waiter);
    });
  }

  async end(): Promise<void> {
    if (this.#state !== 'open') {
      return;
    }
    this.#state = 'closing';
    const exited = new Promise<void>((resolve) => this.#thread.once('exit', () => resolve()));
    this.#send({ kind: 'close' });
    await exited;
  }

  #client(): PostgresPoolClient {
    let released = false;
    return {
      // Kysely asks for it to cancel statements; there is one connection and nothing to cancel from.
      processID: 1,
      query: ((sql: string, parameters: readonly unknown[]) => this.#query(sql, parameters)) as unknown as PostgresPoolClient['query'],
      release: () => {
        if (!released) {
          released = true;
          this.#passOn();
        }
      },
    };
  }

  #query(sql: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<never>> {
    if (this.#state === 'ended') {
      return Promise.reject(new StatusError('unavailable', 'the embedded database is closed'));
    }
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#send({ kind: 'query', id, sql, parameters });
    });
  }

  #send(request: PGliteRequest): void {
    this.#thread.postMessage(request);
  }

  #settle(reply: Extract<PGliteReply, { kind: 'rows' | 'failed' }>): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if (reply.kind === 'rows') {
      pending?.resolve(reply as unknown as PostgresQueryResult<never>);
    } else {
      pending?.reject(Object.assign(new Error(reply.message), { code: reply.code, constraint: reply.constraint }));
    }
  }

  #passOn(): void {
    const next = this.#waiters.shift();
    if (next === undefined) {
      this.#taken = false;
      return;
    }
    clearTimeout(next.timer);
    next.resolve(this.#client());
  }

  #giveUp(waiter: Waiter): void {
    const at = this.#waiters.indexOf(waiter);
    if (at >= 0) {
      this.#waiters.splice(at, 1);
      waiter.reject(new StatusError('unavailable', 'the database is busy', { retryAfterMs: 1000 }));
    }
  }

  #rejectAll(reason: Error): void {
    for (const pending of this.#pending.values()) {
      pending.reject(reason);
    }
    this.#pending.clear();
    for (const waiter of this.#waiters.splice(0)) {
      clearTimeout(waiter.timer);
      waiter.reject(reason);
    }
  }
}
