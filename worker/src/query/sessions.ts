import { StatusError } from '@jetbridge/proto/status-error';
import type { Engine } from '../engine/engine.ts';
import { SESSION_IDLE_TTL_MS, SESSIONS_MAX, SWEEP_INTERVAL_MS } from '../limits.ts';
import { pause } from '../run.ts';
import { type Location, SessionConnections } from './connections.ts';
import type { Executor } from './executor.ts';
import { PreparedStatements } from './prepared.ts';
import { OpenedStatements, StoredBudget } from './results.ts';

/** Whose session it is. Two principals never share one, whatever ids their gateways gave them. */
export interface SessionKey {
  readonly principalId: string;
  readonly sessionId: string;
}

/** One client's session: its connections, prepared statements and opened statements. */
export interface Session {
  readonly key: SessionKey;
  readonly connections: SessionConnections;
  readonly prepared: PreparedStatements;
  readonly opened: OpenedStatements;
  /** Fires when the session closes. */
  readonly closed: AbortSignal;
  /** Where it begins, and returns to when an option is unset. */
  readonly defaultLocation: Location;
  /** The location headers last seen: only a change of theirs moves the session, so that USE outlives them. */
  requestedLocation: string | undefined;
  /** Of the transaction that BeginTransaction began last. It may have been ended by SQL since. */
  transactionId: string | undefined;
}

interface Entry {
  readonly session: Session;
  readonly close: AbortController;
  calls: number;
  usedMs: number;
}

export interface SessionsOptions {
  readonly engine: Engine;
  readonly executor: Executor;
  readonly defaultLocation: Location;
  readonly nowMs: () => number;
}

/** All sessions of this worker. A session begins with its first call and ends by CloseSession, or when nobody uses it for long. */
export class Sessions {
  readonly #entries: Map<string, Entry> = new Map();
  readonly #options: SessionsOptions;
  readonly #budget = new StoredBudget();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get budget(): StoredBudget {
    return this.#budget;
  }

  /** Runs one call in its session, which cannot go idle meanwhile. */
  async use<T>(key: SessionKey, call: (session: Session) => Promise<T>): Promise<T> {
    const entry = this.#entries.get(nameOf(key)) ?? this.#open(key);
    entry.calls += 1;
    this.#touch(entry);
    try {
      return await call(entry.session);
    } finally {
      entry.calls -= 1;
      this.#touch(entry);
    }
  }

  /** The session if it is open; asking does not open one. */
  find(key: SessionKey): Session | undefined {
    return this.#entries.get(nameOf(key))?.session;
  }

  // The map is kept in order of use, so that idle sessions are found at its start.
  #touch(entry: Entry): void {
    const name = nameOf(entry.session.key);
    entry.usedMs = this.#options.nowMs();
    if (this.#entries.get(name) === entry) {
      this.#entries.delete(name);
      this.#entries.set(name, entry);
    }
  }

  #open(key: SessionKey): Entry {
    if (this.#entries.size >= SESSIONS_MAX && !this.#closeOneIdle()) {
      throw new StatusError(
        'resource_exhausted',
        'this worker has as many sessions as it can hold; close some, or add a worker to the pool',
      );
    }
    const { engine, executor, defaultLocation, nowMs } = this.#options;
    const close = new AbortController();
    const session: Session = {
      key,
      connections: new SessionConnections(engine, executor, defaultLocation),
      prepared: new PreparedStatements(nowMs),
      opened: new OpenedStatements(this.#budget, nowMs),
      closed: close.signal,
      defaultLocation,
      requestedLocation: undefined,
      transactionId: undefined,
    };
    const entry: Entry = { session, close, calls: 0, usedMs: nowMs() };
    this.#entries.set(nameOf(key), entry);
    return entry;
  }

  // Under pressure the session that was idle for longest gives way.
  #closeOneIdle(): boolean {
    for (const entry of this.#entries.values()) {
      if (entry.calls === 0) {
        this.#close(entry);
        return true;
      }
    }
    return false;
  }

  /** Ends the session and everything that runs in it. Idempotent: a session that is not there is closed. */
  close(key: SessionKey): void {
    const entry = this.#entries.get(nameOf(key));
    if (entry !== undefined) {
      this.#close(entry);
    }
  }

  #close(entry: Entry): void {
    this.#entries.delete(nameOf(entry.session.key));
    entry.close.abort(new StatusError('cancelled', 'the session was closed'));
    entry.session.opened.clear();
    entry.session.prepared.clear();
    entry.session.connections.close();
  }

  /** Closes sessions, handles and results whose time is up, until the signal fires. */
  async sweepUntil(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await pause(SWEEP_INTERVAL_MS, signal);
      this.sweep();
    }
  }

  sweep(): void {
    const idleMs = this.#options.nowMs() - SESSION_IDLE_TTL_MS;
    for (const entry of [...this.#entries.values()]) {
      if (entry.calls === 0 && entry.usedMs <= idleMs) {
        this.#close(entry);
      } else {
        entry.session.prepared.sweep();
        entry.session.opened.sweep();
      }
    }
  }

  closeAll(): void {
    for (const entry of [...this.#entries.values()]) {
      this.#close(entry);
    }
  }
}

function nameOf(key: SessionKey): string {
  return `${key.principalId}/${key.sessionId}`;
}
