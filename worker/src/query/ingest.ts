import { StatusError } from '@jetbridge/proto/status-error';
import type { ImportedBatch } from '../arrow/import-array.ts';
import type { ImportStream } from '../arrow/import-stream.ts';
import type { ImportColumn } from '../arrow/import-type.ts';
import { type Lease, quoteName } from './connections.ts';
import type { Executor } from './executor.ts';
import { decideTarget, type IngestRequest, type IngestTarget } from './ingest-target.ts';
import { mergeSql, nullKeysSql, type Upsert, upsertOf } from './ingest-upsert.ts';
import { inOwnTransaction } from './own-transaction.ts';
import type { Run } from './run-context.ts';
import { selectTable } from './select.ts';
import type { Session } from './sessions.ts';

/** Puts rows into a table as they come, all of them or none, and answers how many. */
export async function ingestRows(
  executor: Executor,
  session: Session,
  request: IngestRequest,
  rows: ImportStream,
  { signal, meter }: Run,
): Promise<number> {
  const run = { signal: AbortSignal.any([signal, session.closed]), meter };
  const upsert = upsertOf(request.options, rows.columns);
  const lease = await session.connections.acquire(request.temporary ? 'stateful' : 'plain', run.signal, run.meter);
  try {
    const { engine } = lease.connection;
    const begun: Ingest = { executor, lease, rows, upsert, run };
    // In a transaction of the session's own nothing can be undone but the whole: there rows wait aside until all have come.
    const aside = upsert !== undefined || engine.inTransaction();
    return await inOwnTransaction(lease, true, run, async () => {
      const target = await decideTarget(request, session.connections.location, (sql, values) =>
        executor.run(engine, run.signal, run.meter, () => selectTable(engine, sql, values)),
      );
      return aside ? putAside(begun, target) : putDirectly(begun, target);
    });
  } catch (thrown) {
    // Whatever an abort made fail, its reason is the answer.
    run.signal.throwIfAborted();
    throw thrown;
  } finally {
    lease.release();
  }
}

interface Ingest {
  readonly executor: Executor;
  readonly lease: Lease;
  readonly rows: ImportStream;
  readonly upsert: Upsert | undefined;
  readonly run: Run;
}

const ROWS = '__jetbridge_rows';

async function putDirectly(ingest: Ingest, target: IngestTarget): Promise<number> {
  await defineTarget(ingest, target);
  return appendAll(ingest, `INSERT INTO ${target.sql} BY NAME SELECT * FROM ${ROWS}`);
}

async function putAside(ingest: Ingest, target: IngestTarget): Promise<number> {
  const aside = `temp.main.${quoteName(`__jetbridge_ingest_${nextAside++}`)}`;
  const { upsert, rows } = ingest;
  await execute(ingest, `CREATE TEMPORARY TABLE ${aside} (${columnsSql(rows.columns)})`);
  try {
    const count = await appendAll(ingest, `INSERT INTO ${aside} SELECT * FROM ${ROWS}`);
    if (upsert !== undefined) {
      await requireKeys(ingest, aside, upsert);
    }
    await defineTarget(ingest, target);
    if (upsert === undefined) {
      await execute(ingest, `INSERT INTO ${target.sql} BY NAME SELECT * FROM ${aside}`);
      return count;
    }
    return await update(ingest, mergeSql(target.sql, aside, rows.columns, upsert));
  } finally {
    // Where it fails the transaction has failed, and its end drops the table.
    await execute(ingest, `DROP TABLE IF EXISTS ${aside}`).catch(() => undefined);
  }
}
let nextAside = 1;

async function defineTarget(ingest: Ingest, { sql, define }: IngestTarget): Promise<void> {
  if (define !== undefined) {
    await execute(ingest, `${define} ${sql} (${columnsSql(ingest.rows.columns)})`);
  }
}

function columnsSql(columns: readonly ImportColumn[]): string {
  return columns.map(({ name, sql }) => `${quoteName(name)} ${sql}`).join(', ');
}

async function appendAll({ executor, lease, rows, run }: Ingest, insert: string): Promise<number> {
  const { engine } = lease.connection;
  const appender = engine.appender({ columns: rows.columns, insert, rows: ROWS });
  try {
    let count = 0;
    const next = (): Promise<ImportedBatch | undefined> => orAborted(rows.next(), run.signal);
    for (let batch = await next(); batch !== undefined; batch = await next()) {
      const taken = batch;
      await executor.resume(engine, run.signal, run.meter, () => appender.append(taken));
      count += batch.rows;
    }
    await executor.resume(engine, run.signal, run.meter, () => appender.finish());
    return count;
  } finally {
    await appender.close();
  }
}

// A caller that sends nothing more must not outlive its session.
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

async function requireKeys({ executor, lease: { connection }, run }: Ingest, aside: string, upsert: Upsert): Promise<void> {
  const found = await executor.resume(connection.engine, run.signal, run.meter, () =>
    selectTable(connection.engine, nullKeysSql(aside, upsert)),
  );
  if (found.numRows > 0) {
    throw new StatusError('invalid_argument', `a row has NULL in its primary key (${upsert.primaryKey.join(', ')})`);
  }
}

function execute({ executor, lease: { connection }, run }: Ingest, sql: string): Promise<void> {
  return executor.resume(connection.engine, run.signal, run.meter, () => connection.engine.execute(sql));
}

function update({ executor, lease: { connection }, run }: Ingest, sql: string): Promise<number> {
  return executor.resume(connection.engine, run.signal, run.meter, async () => {
    const statement = await connection.engine.prepare(sql);
    try {
      return (await statement.execute('stored')).changedRows ?? 0;
    } finally {
      statement.close();
    }
  });
}
