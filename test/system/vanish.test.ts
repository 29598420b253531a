import t from 'tap';
import { skipClient, startClient } from '../harness/client.ts';
import type { ClientName } from '../harness/job.ts';
import { startMesh } from '../harness/mesh.ts';
import { metricBecomes, metricsOf, metricValue } from '../harness/metrics.ts';
import { smallSource } from '../harness/source.ts';

t.setTimeout(180_000);

const mesh = await startMesh(t, { source: await smallSource(t) });

const RUNNING = 'jetbridge_worker_statements_running';
const STREAM = "SELECT i, repeat('x', 1000) AS filler FROM range(10000000) t(i)";
// Hours of work without a first row.
const ENDLESS = 'SELECT sum(hash(a.range, b.range)) FROM range(3000000) a, range(3000000) b';
/** From the client's end to an idle engine. */
const NOTICED_MS = 5_000;

const names = (['adbc', 'flight', 'jdbc', 'go'] as const satisfies readonly ClientName[]).filter((name) => {
  const why = skipClient(name);
  if (why !== false) {
    t.pass(name, { skip: why });
  }
  return why === false;
});

t.test('clients killed in the middle of their streams stop the engine', async (t) => {
  const clients = await Promise.all(names.map((name) => startClient(t, name)));
  const jobs = clients.map((client) =>
    client.start({ ...mesh.login(), steps: [{ action: 'query', sql: STREAM, limit: 1, pauseAfterRows: 1_000 }] }),
  );
  await Promise.all(jobs.map((job) => job.event('paused')));
  t.equal(metricValue(await metricsOf(mesh, 'worker'), RUNNING), names.length);
  await Promise.all(clients.map((client) => client.kill()));
  t.equal(await metricBecomes(mesh, 'worker', RUNNING, (running) => running === 0, NOTICED_MS), 0, 'the engine is idle');
});

t.test('clients killed while the engine works on their first row interrupt it', async (t) => {
  const clients = await Promise.all(names.map((name) => startClient(t, name)));
  clients.map((client) => client.start({ ...mesh.login(), steps: [{ action: 'query', sql: ENDLESS }] }));
  await metricBecomes(mesh, 'worker', RUNNING, (running) => running === names.length, 30_000);
  await Promise.all(clients.map((client) => client.kill()));
  t.equal(await metricBecomes(mesh, 'worker', RUNNING, (running) => running === 0, NOTICED_MS), 0, 'the engine is idle');
});

t.test('a statement of the shell ends with it', async (t) => {
  const shell = await startClient(t, 'jetbridge sql');
  const job = shell.start({ ...mesh.login(), steps: [{ action: 'query', sql: ENDLESS }] });
  await metricBecomes(mesh, 'worker', RUNNING, (running) => running === 1, 30_000);
  await shell.kill();
  await job.done;
  t.equal(await metricBecomes(mesh, 'worker', RUNNING, (running) => running === 0, NOTICED_MS), 0, 'the engine is idle');
});
