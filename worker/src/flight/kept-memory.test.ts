import t from 'tap';
import { selectTable } from '../query/select.ts';
import { FlightWorker } from '../testing/flight-worker.ts';

t.test('what a query has computed is freed once it is read', async (t) => {
  const worker = await FlightWorker.open({ directory: t.testdir() });
  t.teardown(() => worker.close());
  const client = worker.client();
  const connection = await worker.engine.connect();
  const held = async (): Promise<number> => {
    const table = await selectTable(connection, 'SELECT sum(memory_usage_bytes)::DOUBLE AS bytes FROM duckdb_memory()', []);
    return table.get(0)?.bytes;
  };
  // A join whose hash table the engine's statement keeps.
  const keys = (rows: number): string => `(SELECT hash(i) AS k FROM range(${rows}) t(i))`;
  const query = `SELECT count(*) AS n FROM ${keys(1_000_000)} a WHERE EXISTS (SELECT 1 FROM ${keys(3_000_000)} b WHERE b.k = a.k)`;
  const { handle } = await client.prepare(query);
  const before = await held();
  // Neither ticket nor handle is closed: clients leave both to the worker.
  await client.fetch(await client.info({ kind: 'statement_query', query }));
  await client.fetch(await client.info({ kind: 'prepared_statement_query', handle }));
  t.equal((await client.fetch(await client.info({ kind: 'prepared_statement_query', handle }))).get(0)?.n, 1_000_000n);
  const after = await held();
  t.ok(after - before < 10_000_000, `${after - before} bytes are held`);
});
