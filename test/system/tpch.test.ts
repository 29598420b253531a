import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { skipClient, startClient } from '../harness/client.ts';
import { only } from '../harness/job.ts';
import { startMesh } from '../harness/mesh.ts';
import { temporaryDirectory } from '../harness/temporary.ts';

t.setTimeout(240_000);

t.test('the 22 TPC-H queries through the mesh equal DuckDB on the same files', { skip: skipClient('adbc') }, async (t) => {
  const directory = join(await temporaryDirectory(t), 'tpch');
  await mkdir(directory);
  const local = await startClient(t, 'local');
  const generated = only(await local.run({ uri: '', steps: [{ action: 'tpch', directory, scale: 0.1 }] }));
  t.equal(generated.ok, true, JSON.stringify(generated.error));
  const tables = generated.tables as readonly string[];
  const queries = generated.queries as readonly { readonly number: number; readonly sql: string }[];
  t.equal(tables.length, 8);
  t.equal(queries.length, 22);
  await local.kill();

  const mesh = await startMesh(t, { source: directory });
  const client = await startClient(t, 'adbc');
  const localSetup = tables.map((table) => `CREATE VIEW ${table} AS FROM '${directory}/${table}.parquet'`);
  const { steps } = await client.run({ ...mesh.login(), steps: queries.map(({ sql }) => ({ action: 'compare', sql, localSetup })) });
  t.equal(steps.length, 22);
  steps.forEach((step, index) => {
    const number = queries[index]?.number;
    t.equal(step.ok, true, `query ${number}: ${JSON.stringify(step.error)}`);
    t.same(step.differences, [], `query ${number}`);
    t.ok((step.rowCount ?? 0) > 0, `query ${number} has rows`);
  });
});
