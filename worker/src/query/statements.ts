import { StatusError } from '@jetbridge/proto/status-error';
import type { Schema, Table } from 'apache-arrow';
import type { ImportStream } from '../arrow/import-stream.ts';
import type { EngineResult, ParameterValue, ResultFrame } from '../engine/engine.ts';
import { INGESTS_OPEN_MAX, KEPT_PREPARED_MICROS_MAX, SQL_BYTES_MAX, STREAMS_OPEN_MAX } from '../limits.ts';
import { natureOf, requireAllowed } from './classify.ts';
import type { HeldConnection, Lease } from './connections.ts';
import type { Executor } from './executor.ts';
import { ingestRows } from './ingest.ts';
import type { IngestRequest } from './ingest-target.ts';
import { inOwnTransaction } from './own-transaction.ts';
import { forgetPreparation, newStatementId, Preparation, type PreparedStatement } from './prepared.ts';
import { changedRowsOf, closing, sendStored } from './result-flow.ts';
import { type OpenedStatement, type StoredBudget, storeResult } from './results.ts';
import type { ResultSink, Run } from './run-context.ts';
import { selectTable } from './select.ts';
import type { Session } from './sessions.ts';

/** Runs statements of sessions: prepares, opens, reads, updates. */
export class Statements {
  readonly #executor: Executor;
  readonly #budget: StoredBudget;
  #streams = 0;
  #ingests = 0;

  constructor(executor: Executor, budget: StoredBudget) {
    this.#executor = executor;
    this.#budget = budget;
  }

  /** Statements that hold a connection now. */
  get running(): number {
    return this.#streams + this.#ingests;
  }

  /** True when work that nobody waits for yet should not begin. */
  get busy(): boolean {
    return this.#executor.full || this.#streams >= STREAMS_OPEN_MAX / 2;
  }

  /** Checks one statement; everything wrong with its text is known here. */
  async prepare(session: Session, sql: string, run: Run): Promise<PreparedStatement> {
    if (Buffer.byteLength(sql) > SQL_BYTES_MAX) {
      throw new StatusError('resource_exhausted', `a statement may have ${SQL_BYTES_MAX} bytes`);
    }
    requireAllowed(sql);
    const nature = natureOf(sql);
    const lease = await session.connections.acquire('plain', run.signal, run.meter);
    try {
      const statement = await this.#executor.run(lease.connection.engine, run.signal, run.meter, () =>
        lease.connection.engine.prepare(sql),
      );
      const { kind, schema, parameters } = statement;
      const repeatable = kind === 'rows' && statement.readOnly && nature === 'plain';
      const on = new Preparation(lease.connection, statement);
      return { id: newStatementId(), sql, nature, kind, repeatable, schema, parameters, bound: undefined, on };
    } finally {
      lease.release();
    }
  }

  /**
   * Gives a statement its ticket. What changes something runs here, exactly once, and its answer is stored; what only reads, runs when it
   * is fetched.
   */
  async open(
    session: Session,
    prepared: PreparedStatement,
    values: readonly ParameterValue[],
    anonymous: boolean,
    run: Run,
  ): Promise<OpenedStatement> {
    requireValues(prepared, values);
    if (prepared.repeatable) {
      const schema = isUnresolved(prepared) ? await this.#schemaOfRun(session, prepared, values, run) : prepared.schema;
      return session.opened.add(newStatementId(), { kind: 'query', prepared, values, schema, anonymous });
    }
    const result = await this.#withStatement(session, prepared, run, (lease, { statement }) =>
      inOwnTransaction(lease, prepared.kind === 'rows' && prepared.nature === 'plain', run, async () => {
        statement.bind(values);
        const answer = await this.#executor.run(lease.connection.engine, run.signal, run.meter, () => statement.execute('stored'));
        return closing(answer, () => storeResult(answer, this.#budget, () => this.#next(answer, undefined, run)));
      }),
    );
    return session.opened.add(newStatementId(), { kind: 'result', result });
  }

  // Clients compare the schema of FlightInfo with that of DoGet, and here only a run tells it: it is begun and given up.
  #schemaOfRun(session: Session, prepared: PreparedStatement, values: readonly ParameterValue[], run: Run): Promise<Schema> {
    return this.#withStatement(session, prepared, run, async ({ connection }, { statement }) => {
      statement.bind(values);
      const result = await this.#executor.run(connection.engine, run.signal, run.meter, () => statement.execute('stream'));
      await result.close();
      return result.schema;
    });
  }

  /** Sends an opened statement's rows into the sink; returns when all are there. */
  async read(session: Session, opened: OpenedStatement, run: Run, sink: ResultSink): Promise<void> {
    const reader = new AbortController();
    const unlink = abortedWith(reader, [run.signal, session.closed]);
    session.opened.startReading(opened, reader);
    try {
      const signal = reader.signal;
      await (opened.kind === 'result'
        ? sendStored(opened.result.schema, opened.result.frames, signal, sink)
        : this.#stream(session, opened.prepared, opened.values, { ...run, signal }, sink));
    } finally {
      unlink();
      session.opened.stopReading(opened, reader);
    }
  }

  async #stream(
    session: Session,
    prepared: PreparedStatement,
    values: readonly ParameterValue[],
    run: Run,
    sink: ResultSink,
  ): Promise<void> {
    if (this.#streams >= STREAMS_OPEN_MAX) {
      throw new StatusError(
        'resource_exhausted',
        'this worker has as many open results as it can hold; read or cancel some, or add a worker to the pool',
      );
    }
    this.#streams += 1;
    try {
      await this.#withStatement(session, prepared, run, async (lease, { statement }) => {
        statement.bind(values);
        const mode = lease.shared ? 'stored' : 'stream';
        const result = await this.#executor.run(lease.connection.engine, run.signal, run.meter, () => statement.execute(mode));
        if (lease.shared) {
          lease.release();
        }
        await closing(result, () => this.#send(result, lease.shared ? undefined : lease.connection, run, sink));
      });
    } finally {
      this.#streams -= 1;
    }
  }

  async #send(result: EngineResult, connection: HeldConnection | undefined, run: Run, sink: ResultSink): Promise<void> {
    sink.schema(result.schema);
    for (let frame = await this.#next(result, connection, run); frame !== undefined; frame = await this.#next(result, connection, run)) {
      const full = sink.frame(frame);
      if (full !== undefined) {
        await full;
      }
      run.signal.throwIfAborted();
    }
  }

  #next(result: EngineResult, connection: HeldConnection | undefined, run: Run): Promise<ResultFrame | undefined> {
    return this.#executor.resume(connection?.engine, run.signal, run.meter, () => result.next());
  }

  /** Runs once per row of values, all or nothing, and answers how many rows changed. */
  update(session: Session, prepared: PreparedStatement, rows: readonly (readonly ParameterValue[])[], run: Run): Promise<number> {
    if (prepared.repeatable) {
      throw new StatusError('invalid_argument', 'this statement answers rows and changes nothing: run it as a query');
    }
    return this.#withStatement(session, prepared, run, (lease, { statement }) =>
      inOwnTransaction(lease, rows.length > 1 && prepared.nature === 'plain', run, () =>
        this.#executor.run(lease.connection.engine, run.signal, run.meter, async () => {
          let changed = 0;
          for (const values of rows) {
            run.signal.throwIfAborted();
            requireValues(prepared, values);
            statement.bind(values);
            changed += await changedRowsOf(await statement.execute('stored'));
          }
          return changed;
        }),
      ),
    );
  }

  /** Puts uploaded rows into a table, all or none, and answers how many. */
  async ingest(session: Session, request: IngestRequest, rows: ImportStream, run: Run): Promise<number> {
    if (this.#ingests >= INGESTS_OPEN_MAX) {
      throw new StatusError('resource_exhausted', 'this worker ingests as much at once as it can hold; try again in a moment');
    }
    this.#ingests += 1;
    try {
      return await ingestRows(this.#executor, session, request, rows, run);
    } finally {
      this.#ingests -= 1;
    }
  }

  /** Runs a query of our own in the session, with the session's view of what exists. */
  async select(session: Session, sql: string, values: readonly ParameterValue[], run: Run): Promise<Table> {
    const lease = await session.connections.acquire('plain', run.signal, run.meter);
    try {
      return await this.#selectOn(lease.connection, sql, values, run);
    } finally {
      lease.release();
    }
  }

  #selectOn({ engine }: HeldConnection, sql: string, values: readonly ParameterValue[], run: Run): Promise<Table> {
    return this.#executor.run(engine, run.signal, run.meter, () => selectTable(engine, sql, values));
  }

  /** The Arrow schema of a query without running it. */
  async describe(session: Session, sql: string, run: Run): Promise<Schema> {
    const lease = await session.connections.acquire('plain', run.signal, run.meter);
    try {
      const statement = await this.#executor.run(lease.connection.engine, run.signal, run.meter, () =>
        lease.connection.engine.prepare(sql),
      );
      statement.close();
      return statement.schema;
    } finally {
      lease.release();
    }
  }

  async #withStatement<T>(
    session: Session,
    prepared: PreparedStatement,
    run: Run,
    work: (lease: Lease, preparation: Preparation) => Promise<T>,
  ): Promise<T> {
    const lease = await session.connections.acquire(prepared.nature, run.signal, run.meter, prepared.on?.connection);
    const microsBefore = run.meter.engineMicros;
    try {
      const preparation = await this.#usePreparation(lease.connection, prepared, run);
      try {
        return await work(lease, preparation);
      } finally {
        preparation.leave();
        // The engine's statement keeps the hash tables and sorted runs of its last execution until it is freed.
        if (run.meter.engineMicros - microsBefore > KEPT_PREPARED_MICROS_MAX) {
          forgetPreparation(prepared);
        }
        if (prepared.nature === 'location') {
          await this.#noticeMove(session, lease.connection);
        }
      }
    } finally {
      lease.release();
    }
  }

  async #usePreparation(connection: HeldConnection, prepared: PreparedStatement, run: Run): Promise<Preparation> {
    if (prepared.on?.connection === connection) {
      prepared.on.use();
      return prepared.on;
    }
    const statement = await this.#executor.run(connection.engine, run.signal, run.meter, () => connection.engine.prepare(prepared.sql));
    const preparation = new Preparation(connection, statement);
    preparation.use();
    if (prepared.on === undefined || prepared.on.connection.closed) {
      prepared.on = preparation;
    } else {
      preparation.close();
    }
    return preparation;
  }

  // USE says nothing about where it led to, and a failed one leads nowhere: the engine is asked.
  async #noticeMove(session: Session, connection: HeldConnection): Promise<void> {
    const run = { signal: session.closed, meter: { engineMicros: 0 } };
    const [row] = (await this.#selectOn(connection, 'SELECT current_catalog() AS catalog, current_schema() AS schema', [], run)).toArray();
    session.connections.movedTo(connection, { catalog: String(row.catalog), schema: String(row.schema) });
  }
}

/** Aborts with whichever signal does first, until the returned function is called. What AbortSignal.any does, at a fraction of its cost. */
function abortedWith(abort: AbortController, signals: readonly AbortSignal[]): () => void {
  const links = signals.map((signal) => ({ signal, onAbort: (): void => abort.abort(signal.reason) }));
  for (const { signal, onAbort } of links) {
    if (signal.aborted) {
      onAbort();
    }
    signal.addEventListener('abort', onAbort, { once: true });
  }
  return () => {
    for (const { signal, onAbort } of links) {
      signal.removeEventListener('abort', onAbort);
    }
  };
}

// `SELECT ?`: types that only the bound values decide. The engine then describes a result of one column called so.
function isUnresolved({ parameters, schema }: PreparedStatement): boolean {
  return parameters.length > 0 && schema.fields.length === 1 && schema.fields[0]?.name === 'unknown';
}

function requireValues(prepared: PreparedStatement, values: readonly ParameterValue[]): void {
  if (values.length !== prepared.parameters.length) {
    throw new StatusError(
      'invalid_argument',
      `the statement has ${prepared.parameters.length} parameters and ${values.length} values were bound`,
    );
  }
}
