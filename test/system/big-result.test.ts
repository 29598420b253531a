import t from 'tap';
import { skipClient, startClient } from '../harness/client.ts';
import { type Client, type Outcome, only } from '../harness/job.ts';
import { startMesh } from '../harness/mesh.ts';
import { peakMegabytes, resetPeak } from '../harness/processes.ts';
import { smallSource } from '../harness/source.ts';

t.setTimeout(300_000);

const mesh = await startMesh(t, { source: await smallSource(t) });

const LIMIT_MEGABYTES = 500;
const FOUR_GIGABYTES = { sql: 'SELECT i, repeat(chr(65 + (i % 26)::INT), 4096) AS filler FROM range(1048576) t(i)', rows: 1_048_576 };
const SMALLER = { sql: "SELECT i, repeat('y', 1024) AS filler FROM range(300000) t(i)", rows: 300_000 };
/** Both cores are busy and share with the clients: a stalled reader that mattered would stop the other for ever. */
const GENEROUS_FACTOR = 3;

const read = async (client: Client, { sql, rows }: { sql: string; rows: number }): Promise<Outcome> => {
  const outcome = only(await client.run({ ...mesh.login(), steps: [{ action: 'query', sql, limit: 1 }] }));
  t.match(outcome, { ok: true, rowCount: rows }, JSON.stringify(outcome.error));
  return outcome;
};

t.test('a 4 GB result streams through bounded memory', { skip: skipClient('go') }, async (t) => {
  const client = await startClient(t, 'go');
  const { worker, gateway } = mesh.ready.pids;
  resetPeak(worker);
  resetPeak(gateway);
  const outcome = await read(client, FOUR_GIGABYTES);
  const peaks = { worker: Math.round(peakMegabytes(worker)), gateway: Math.round(peakMegabytes(gateway)) };
  t.comment(`4 GiB in ${outcome.elapsedMs} ms, peak RSS in MB: worker ${peaks.worker}, gateway ${peaks.gateway}`);
  t.ok(peaks.worker < LIMIT_MEGABYTES, `worker ${peaks.worker} MB`);
  t.ok(peaks.gateway < LIMIT_MEGABYTES, `gateway ${peaks.gateway} MB`);
});

t.test('stalled readers neither slow another one nor cost its memory', { skip: skipClient('go') }, async (t) => {
  const reader = await startClient(t, 'go');
  await read(reader, SMALLER);
  const alone = await read(reader, SMALLER);

  const stalled = await Promise.all([startClient(t, 'go'), startClient(t, 'go')]);
  const jobs = stalled.map((client) =>
    client.start({ ...mesh.login(), steps: [{ action: 'query', sql: FOUR_GIGABYTES.sql, limit: 1, pauseAfterRows: 10 }] }),
  );
  await Promise.all(jobs.map((job) => job.event('paused')));
  const { worker, gateway } = mesh.ready.pids;
  resetPeak(worker);
  resetPeak(gateway);
  const beside = await read(reader, SMALLER);
  t.comment(`300 MB alone in ${alone.elapsedMs} ms, beside two stalled readers in ${beside.elapsedMs} ms`);
  t.ok(beside.elapsedMs < alone.elapsedMs * GENEROUS_FACTOR + 1_000, `${beside.elapsedMs} ms instead of ${alone.elapsedMs} ms`);
  t.ok(peakMegabytes(worker) < LIMIT_MEGABYTES, `worker ${peakMegabytes(worker)} MB`);
  t.ok(peakMegabytes(gateway) < LIMIT_MEGABYTES, `gateway ${peakMegabytes(gateway)} MB`);
  await Promise.all(stalled.map((client) => client.kill()));
});
