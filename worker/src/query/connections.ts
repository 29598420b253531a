import { StatusError } from '@jetbridge/proto/status-error';
import type { Engine, EngineConnection, EngineStatement } from '../engine/engine.ts';
import { IDLE_CONNECTIONS_PER_SESSION_MAX, SESSION_QUEUE_MAX } from '../limits.ts';
import type { StatementNature } from './classify.ts';
import type { EngineMeter, Executor } from './executor.ts';
import { Gate } from './gate.ts';

/** Where unqualified names are looked up. */
export interface Location {
  readonly catalog: string;
  readonly schema: string;
}

/** A connection of the engine with what was prepared on it. */
export interface HeldConnection {
  readonly engine: EngineConnection;
  location: Location;
  readonly statements: Set<EngineStatement>;
  closed: boolean;
}

/** The right to use one connection alone; `release` is idempotent. */
export interface Lease {
  readonly connection: HeldConnection;
  /** True when other statements of the session must wait for this connection: results are better stored than streamed. */
  readonly shared: boolean;
  release(): void;
}

interface Bound {
  readonly kind: 'bound';
  readonly turns: Gate;
  connection: HeldConnection | undefined;
  /** Settings or temporary objects live on the connection, so it stays until the session ends. */
  sticky: boolean;
}

type State = { readonly kind: 'free' } | Bound | { readonly kind: 'closed' };

const FREE: State = { kind: 'free' };
const CLOSED: State = { kind: 'closed' };

/**
 * The connections of one session. While the session has no state every connection is as good as another, and statements run side by side.
 * A statement that may leave state binds the session to its connection: from then on all statements take turns on it, until a transaction
 * that was the only state has ended.
 */
export class SessionConnections {
  readonly #engine: Engine;
  readonly #executor: Executor;
  readonly #open: Set<HeldConnection> = new Set();
  readonly #idle: HeldConnection[] = [];
  #location: Location;
  #state: State = FREE;

  constructor(engine: Engine, executor: Executor, location: Location) {
    this.#engine = engine;
    this.#executor = executor;
    this.#location = location;
  }

  get location(): Location {
    return this.#location;
  }

  /** True while every connection is as good as another: no transaction, no settings, no temporary objects. */
  get stateless(): boolean {
    return this.#state.kind === 'free';
  }

  /** True while a transaction is open, whoever began it. */
  get inTransaction(): boolean {
    return this.#state.kind === 'bound' && this.#state.connection?.engine.inTransaction() === true;
  }

  /** Takes a connection for one statement, `preferred` if it is free. */
  async acquire(nature: StatementNature, signal: AbortSignal, meter: EngineMeter, preferred?: HeldConnection): Promise<Lease> {
    if (this.#state.kind === 'free' && nature !== 'plain') {
      this.#state = { kind: 'bound', turns: sessionTurns(), connection: undefined, sticky: false };
    }
    const state = this.#state;
    switch (state.kind) {
      case 'closed':
        throw sessionClosed();
      case 'free':
        return this.#leaseFree(signal, meter, preferred);
      case 'bound':
        return this.#leaseBound(state, nature, signal, meter, preferred);
    }
  }

  async #leaseFree(signal: AbortSignal, meter: EngineMeter, preferred: HeldConnection | undefined): Promise<Lease> {
    const connection = await this.#ready(this.#takeIdle(preferred), signal, meter);
    let released = false;
    return {
      connection,
      shared: false,
      release: () => {
        if (!released) {
          released = true;
          this.#giveBack(connection);
        }
      },
    };
  }

  async #leaseBound(
    bound: Bound,
    nature: StatementNature,
    signal: AbortSignal,
    meter: EngineMeter,
    preferred: HeldConnection | undefined,
  ): Promise<Lease> {
    await this.#takeTurn(bound, signal);
    try {
      if (this.#state.kind === 'closed') {
        throw sessionClosed();
      }
      bound.connection = await this.#ready(bound.connection ?? this.#takeIdle(preferred), signal, meter);
    } catch (thrown) {
      this.#endTurn(bound);
      throw thrown;
    }
    if (nature === 'stateful') {
      bound.sticky = true;
      this.#closeIdle();
    }
    let released = false;
    return {
      connection: bound.connection,
      shared: true,
      release: () => {
        if (!released) {
          released = true;
          this.#endTurn(bound);
        }
      },
    };
  }

  async #takeTurn(bound: Bound, signal: AbortSignal): Promise<void> {
    try {
      await bound.turns.enter(signal);
    } catch (thrown) {
      // Who bound the session and never got its turn must not leave it bound.
      if (this.#state === bound && bound.connection === undefined && !bound.turns.taken) {
        this.#state = FREE;
      }
      throw thrown;
    }
  }

  #endTurn(bound: Bound): void {
    const { connection } = bound;
    const keep = bound.sticky || connection?.engine.inTransaction() === true || bound.turns.contended;
    if (this.#state.kind === 'closed' || (!keep && this.#state === bound)) {
      this.#state = this.#state.kind === 'closed' ? CLOSED : FREE;
      bound.connection = undefined;
      if (connection !== undefined) {
        this.#giveBack(connection);
      }
    }
    bound.turns.leave();
  }

  #giveBack(connection: HeldConnection): void {
    const useful = this.#state.kind === 'free' || (this.#state.kind === 'bound' && !this.#state.sticky);
    if (useful && this.#idle.length < IDLE_CONNECTIONS_PER_SESSION_MAX) {
      this.#idle.push(connection);
    } else {
      this.#close(connection);
    }
  }

  #takeIdle(preferred: HeldConnection | undefined): HeldConnection | undefined {
    const at = preferred === undefined ? -1 : this.#idle.indexOf(preferred);
    return at === -1 ? this.#idle.pop() : this.#idle.splice(at, 1)[0];
  }

  async #ready(idle: HeldConnection | undefined, signal: AbortSignal, meter: EngineMeter): Promise<HeldConnection> {
    const connection = idle ?? (await this.#connect());
    try {
      if (!sameLocation(connection.location, this.#location)) {
        await this.#move(connection, this.#location, signal, meter);
      }
    } catch (thrown) {
      this.#close(connection);
      throw thrown;
    }
    return connection;
  }

  async #connect(): Promise<HeldConnection> {
    const engine = await this.#engine.connect();
    const connection: HeldConnection = { engine, location: UNKNOWN_LOCATION, statements: new Set(), closed: false };
    if (this.#state.kind === 'closed') {
      await engine.close();
      throw sessionClosed();
    }
    this.#open.add(connection);
    return connection;
  }

  async #move(connection: HeldConnection, location: Location, signal: AbortSignal, meter: EngineMeter): Promise<void> {
    await this.#executor.run(connection.engine, signal, meter, () => connection.engine.execute(useStatement(location)));
    connection.location = location;
  }

  /** Moves the session; `invalid_argument` or `not_found` when there is no such place, and then nothing changes. */
  async relocate(location: Location, signal: AbortSignal, meter: EngineMeter): Promise<void> {
    const lease = await this.acquire('plain', signal, meter);
    try {
      await this.#move(lease.connection, location, signal, meter);
      this.#location = location;
    } finally {
      lease.release();
    }
  }

  /** Says that SQL moved this connection, and the session with it. */
  movedTo(connection: HeldConnection, location: Location): void {
    connection.location = location;
    this.#location = location;
  }

  #closeIdle(): void {
    for (const connection of this.#idle.splice(0)) {
      this.#close(connection);
    }
  }

  #close(connection: HeldConnection): void {
    if (connection.closed) {
      return;
    }
    connection.closed = true;
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) {
      this.#idle.splice(at, 1);
    }
    for (const statement of connection.statements) {
      statement.close();
    }
    connection.statements.clear();
    // A connection that fails to close is the engine's to report; nothing here depends on it any more.
    connection.engine.close().catch(() => undefined);
  }

  /** Closes what is idle and interrupts the rest, which closes as it is released. Statements that wait are refused. Idempotent. */
  close(): void {
    const state = this.#state;
    this.#state = CLOSED;
    this.#closeIdle();
    if (state.kind === 'bound' && !state.turns.taken && state.connection !== undefined) {
      this.#close(state.connection);
    }
    for (const connection of this.#open) {
      connection.engine.interrupt();
    }
  }
}

// Equal to no location, so that a new connection is always told where it is.
const UNKNOWN_LOCATION: Location = { catalog: '', schema: '' };

function sessionTurns(): Gate {
  return new Gate(
    1,
    SESSION_QUEUE_MAX,
    'too many statements of this session wait for its transaction or temporary tables; use more sessions',
  );
}

function sessionClosed(): StatusError {
  return new StatusError('not_found', 'the session is closed; connect again');
}

function sameLocation(a: Location, b: Location): boolean {
  return a.catalog === b.catalog && a.schema === b.schema;
}

function useStatement(location: Location): string {
  return `USE ${quoteName(location.catalog)}.${quoteName(location.schema)}`;
}

/** A name as SQL: quotes doubled, so that no name can end its quotes. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as an SQL literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
