import t from 'tap';
import { CLIENT_NAMES, skipClient, startClient } from '../harness/client.ts';
import { eventually } from '../harness/deadline.ts';
import { type Client, type Job, type Outcome, only, type RunningJob } from '../harness/job.ts';
import { startMesh } from '../harness/mesh.ts';
import { smallSource } from '../harness/source.ts';

t.setTimeout(480_000);

const mesh = await startMesh(t, { source: await smallSource(t) });

const ROWS = 50_000_000;
// About 6 GB: the fastest client is still reading when the slowest has begun, however busy the machine.
const STREAM = `SELECT i, repeat('x', 100) AS filler FROM range(${ROWS}) t(i)`;
/** A closed socket tells at once; only a frozen peer has to be found out. */
const AT_ONCE_MS = 3_000;
const FROZEN_MS = 25_000;
/** What a gRPC channel may wait before it dials again after it was refused. */
const RECONNECT_MS = 10_000;

const names = CLIENT_NAMES.filter((name) => skipClient(name) === false);
const clients: Client[] = await Promise.all(names.map((name) => startClient(t, name)));
for (const name of CLIENT_NAMES.filter((name) => !names.includes(name))) {
  t.pass(name, { skip: skipClient(name) });
}

const stream = (): Job => ({
  ...mesh.login(),
  steps: [
    { action: 'query', sql: STREAM, limit: 1, reportAfterRows: 50_000 },
    { action: 'wait' },
    { action: 'query', sql: 'SELECT 42 AS a', retryForMs: RECONNECT_MS },
  ],
});

interface Fault {
  readonly name: string;
  readonly process: 'gateway' | 'worker';
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  /** Frozen too while clients wait, so that only the tunnel's own PINGs can notice. */
  readonly withSupervisor?: boolean;
  readonly limitMs: number;
}

const FAULTS: readonly Fault[] = [
  { name: 'kill -9 of the worker', process: 'worker', signal: 'SIGKILL', limitMs: AT_ONCE_MS },
  { name: 'kill -9 of the gateway', process: 'gateway', signal: 'SIGKILL', limitMs: AT_ONCE_MS },
  {
    name: 'SIGSTOP of the worker, unseen by the supervisor,',
    process: 'worker',
    signal: 'SIGSTOP',
    withSupervisor: true,
    limitMs: FROZEN_MS,
  },
  { name: 'SIGSTOP of the gateway', process: 'gateway', signal: 'SIGSTOP', limitMs: FROZEN_MS },
];

for (const fault of FAULTS) {
  t.test(`${fault.name} in mid-stream`, async (t) => {
    const jobs = clients.map((client) => client.start(stream()));
    await Promise.all(jobs.map((job) => job.event('progress')));
    const pid = mesh.ready.pids[fault.process];
    const struckAt = performance.now();
    if (fault.withSupervisor === true) {
      mesh.supervisor.kill('SIGSTOP');
    }
    process.kill(pid, fault.signal);
    const toldAfterMs = await Promise.all(jobs.map((job) => tellingTime(job, struckAt)));
    t.comment(names.map((name, index) => `${name}: ${toldAfterMs[index]?.toFixed(0)} ms`).join(', '));

    if (fault.withSupervisor === true) {
      process.kill(pid, 'SIGCONT');
      mesh.supervisor.kill('SIGCONT');
    } else {
      await mesh.restarted(fault.process, pid);
    }
    await answersAgain();
    for (const job of jobs) {
      job.resume();
    }
    const results = await Promise.all(jobs.map((job) => job.done));

    results.forEach(({ connectError, steps: [broken, , next] }, index) => {
      const name = names[index] ?? '';
      t.equal(connectError, undefined, `${name} was connected`);
      t.ok((toldAfterMs[index] ?? Infinity) < fault.limitMs, `${name} was told after ${toldAfterMs[index]?.toFixed(0)} ms`);
      t.equal(broken?.ok, false, `${name}: a truncated stream is no success (${broken?.rowCount} rows)`);
      t.ok((broken?.rowCount ?? ROWS) < ROWS, `${name} was in mid-stream`);
      t.ok(saysUnavailable(name, broken), `${name}: ${JSON.stringify(broken?.error)}`);
      t.same(next?.rows, [['42']], `${name}: the next statement works: ${JSON.stringify(next?.error)}`);
    });
  });
}

async function tellingTime(job: RunningJob, struckAt: number): Promise<number> {
  await job.event('paused');
  return performance.now() - struckAt;
}

/** The shell prints the message without the code. */
function saysUnavailable(name: string, outcome: Outcome | undefined): boolean {
  return name === 'jetbridge sql' ? outcome?.error?.message !== '' : outcome?.error?.code === 'unavailable';
}

/** No file tells that a tunnel is up again: a new client asks until it is answered. */
async function answersAgain(): Promise<void> {
  const probe = await startClient(t, names[0] ?? 'jetbridge sql');
  const ask = async (): Promise<Outcome> => only(await probe.run({ ...mesh.login(), steps: [{ action: 'query', sql: 'SELECT 1' }] }));
  await eventually('a statement is answered again', 60_000, ask, (outcome) => outcome.ok);
  await probe.kill();
}
