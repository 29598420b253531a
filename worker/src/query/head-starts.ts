import { HeadStart } from './head-start.ts';
import type { OpenedStatement } from './results.ts';
import type { Session } from './sessions.ts';
import type { Statements } from './statements.ts';

export interface HeadStartLimits {
  /** What one may collect before anybody asks for it. */
  readonly bytesMax: number;
  readonly startsMax: number;
  /** How long a GetFlightInfo stays open for one. */
  readonly waitMs: number;
  /** From its begin until it is stopped if nobody fetches. */
  readonly ttlMs: number;
}

interface Entry {
  readonly headStart: HeadStart;
  /** Neither its time nor its session's end stops it any more. */
  readonly release: () => void;
}

/** Queries that run before they are fetched, by the id of their opened statement. */
export class HeadStarts {
  readonly #statements: Statements;
  readonly #limits: HeadStartLimits;
  readonly #begun: Map<string, Entry> = new Map();

  constructor(statements: Statements, limits: HeadStartLimits) {
    this.#statements = statements;
    this.#limits = limits;
  }

  get waitMs(): number {
    return this.#limits.waitMs;
  }

  /** How many nobody has taken yet. */
  get size(): number {
    return this.#begun.size;
  }

  /**
   * Begins to run what was opened; undefined when it must not: the session has state that a run out of turn could meet, or the worker has
   * better things to do.
   */
  begin(session: Session, opened: OpenedStatement, bytesMax: number): HeadStart | undefined {
    const { startsMax, ttlMs } = this.#limits;
    const small = opened.kind === 'result' && opened.result.bytes <= bytesMax;
    const runnable = opened.kind === 'query' && session.connections.stateless && !this.#statements.busy;
    if (this.#begun.size >= startsMax || !(small || runnable)) {
      return undefined;
    }
    const headStart = new HeadStart(Math.min(bytesMax, this.#limits.bytesMax));
    const expiry = setTimeout(() => this.take(opened.id)?.stop(), ttlMs);
    const onClosed = (): void => this.take(opened.id)?.stop(session.closed.reason);
    session.closed.addEventListener('abort', onClosed, { once: true });
    const release = (): void => {
      clearTimeout(expiry);
      session.closed.removeEventListener('abort', onClosed);
    };
    this.#begun.set(opened.id, { headStart, release });
    headStart.begin((run, sink) => this.#statements.read(session, opened, run, sink));
    void headStart.decided.then((decision) => {
      // Whoever fetches what failed runs it again, and is told why it fails.
      if (decision === 'failed' && this.#begun.get(opened.id)?.headStart === headStart) {
        this.take(opened.id);
      }
    });
    return headStart;
  }

  /** For the first who fetches: what was begun, to be adopted, sent or stopped. */
  take(openedId: string): HeadStart | undefined {
    const entry = this.#begun.get(openedId);
    this.#begun.delete(openedId);
    entry?.release();
    return entry?.headStart;
  }
}
