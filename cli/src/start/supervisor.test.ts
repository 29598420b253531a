import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ChildPlan, ReadyReport } from './child.ts';
import { processBirth } from './owner-lock.ts';
import { type RestartPolicy, Supervisor } from './supervisor.ts';

const POLICY: RestartPolicy = {
  firstDelayMs: 1,
  maxDelayMs: 4,
  maxFailures: 3,
  stableMs: 60_000,
  readyTimeoutMs: 20_000,
  drainMs: 10_000,
  liveness: { intervalMs: 10, timeoutMs: 1_000, misses: 2 },
};
const never = new AbortController().signal;

// A process as the mesh's are: says that it is ready, drains on SIGTERM.
const PROGRAM = `
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
const { JETBRIDGE_READY_FILE: ready, TEST_EVENTS: events, TEST_NAME: name, TEST_MODE: mode } = process.env;
appendFileSync(events, name + ' start\\n');
console.log(JSON.stringify({ level: 50, msg: 'something is wrong', err: { message: 'the reason' } }));
if (mode === 'fails') process.exit(3);
process.on('SIGTERM', () => { if (mode !== 'deaf') { appendFileSync(events, name + ' drain\\n'); process.exit(0); } });
const health = createServer((_request, response) => response.writeHead(503).end()).listen(0, '127.0.0.1', () => {
  writeFileSync(ready + '.new', JSON.stringify({ pid: process.pid, name, httpAddress: '127.0.0.1:' + health.address().port }));
  renameSync(ready + '.new', ready);
});
`;

interface Bench {
  readonly supervisor: Supervisor;
  readonly died: string[];
  /** Resolves with the report of the next child that came back. */
  nextBack(): Promise<ReadyReport>;
  plan(name: string, mode?: string): () => Promise<ChildPlan>;
  events(): Promise<readonly string[]>;
}

async function bench(test: Test, policy: Partial<RestartPolicy> = {}): Promise<Bench> {
  const directory = test.testdir({ 'program.mjs': PROGRAM });
  const died: string[] = [];
  let back = Promise.withResolvers<ReadyReport>();
  const supervisor = new Supervisor(
    {
      died: (_name, reason) => died.push(reason),
      back: (_name, report) => {
        back.resolve(report);
        back = Promise.withResolvers();
      },
      stopping: () => undefined,
    },
    { ...POLICY, ...policy },
  );
  test.teardown(() => supervisor.kill());
  return {
    supervisor,
    died,
    nextBack: () => back.promise,
    plan:
      (name, mode = '') =>
      async () => ({
        name,
        main: join(directory, 'program.mjs'),
        settings: { TEST_NAME: name, TEST_MODE: mode, TEST_EVENTS: join(directory, 'events') },
        logFile: join(directory, `${name}.log`),
        readyFile: join(directory, `${name}.json`),
        health: (report) => ({ url: `http://${String(report.httpAddress)}/healthz` }),
      }),
    events: async () => (await readFile(join(directory, 'events'), 'utf8')).trim().split('\n'),
  };
}

t.test('starts in order and drains in reverse order', async (t) => {
  const { supervisor, plan, events } = await bench(t);
  const report = await supervisor.add(plan('one'), never);
  await supervisor.add(plan('two'), never);
  t.equal(report.pid, supervisor.pid('one'));
  t.match(await processBirth(report.pid), /./);
  const stop = new AbortController();
  const running = supervisor.run(stop.signal);
  stop.abort();
  await running;
  await supervisor.stop();
  t.strictSame(await events(), ['one start', 'two start', 'two drain', 'one drain']);
  t.equal(await processBirth(report.pid), undefined);
});

t.test('a killed child is reported with its log and started again', async (t) => {
  const { supervisor, plan, died, nextBack } = await bench(t);
  const first = await supervisor.add(plan('one'), never);
  const coming = nextBack();
  process.kill(first.pid, 'SIGKILL');
  const second = await coming;
  t.not(second.pid, first.pid);
  t.equal(supervisor.pid('one'), second.pid);
  t.match(died[0], /^one was killed by SIGKILL; the end of .*one\.log:\n {4}error something is wrong \(the reason\)/);
  await supervisor.stop();
});

t.test('a child that keeps failing stops everything, within bounds', async (t) => {
  const { supervisor, plan, died, events } = await bench(t);
  let starts = 0;
  const first = await supervisor.add(async () => plan('one', starts++ === 0 ? '' : 'fails')(), never);
  const running = supervisor.run(never);
  process.kill(first.pid, 'SIGKILL');
  await t.rejects(running, { name: 'CommandError', message: /one ended with exit code 3.*\none failed 4 times in a row/s });
  t.equal(died.length, 3);
  t.equal((await events()).filter((event) => event === 'one start').length, 4);
});

t.test('a child that fails at its first start is an error with its log', async (t) => {
  const { supervisor, plan } = await bench(t);
  await t.rejects(supervisor.add(plan('one', 'fails'), never), {
    name: 'CommandError',
    message: /one ended with exit code 3; the end of .*something is wrong/s,
  });
  await supervisor.stop();
});

t.test('a child that does not drain is killed', async (t) => {
  const { supervisor, plan } = await bench(t, { drainMs: 50 });
  const { pid } = await supervisor.add(plan('one', 'deaf'), never);
  await supervisor.stop();
  t.equal(await processBirth(pid), undefined);
});

t.test('stopping while a child is being started again leaves nothing behind', async (t) => {
  const { supervisor, plan, nextBack } = await bench(t, { firstDelayMs: 60_000 });
  const { pid } = await supervisor.add(plan('one'), never);
  void nextBack();
  process.kill(pid, 'SIGKILL');
  await supervisor.stop();
  t.equal(await processBirth(pid), undefined);
});

t.test('children of a supervisor that vanished drain and end', async (t) => {
  const directory = t.testdir({ 'program.mjs': PROGRAM });
  const supervisorUrl = new URL('./supervisor.ts', import.meta.url).href;
  await writeFile(
    join(directory, 'parent.mts'),
    `import { Supervisor } from ${JSON.stringify(supervisorUrl)};
    const supervisor = new Supervisor({ died() {}, back() {}, stopping() {} });
    const at = (name: string) => ${JSON.stringify(directory)} + '/' + name;
    const report = await supervisor.add(async () => ({ name: 'one', main: at('program.mjs'), settings: { TEST_NAME: 'one', TEST_EVENTS: at('events') }, logFile: at('log'), readyFile: at('ready') }), new AbortController().signal);
    console.log(report.pid);
    setInterval(() => {}, 1000);`,
  );
  const { spawn } = await import('node:child_process');
  const parent = spawn(process.execPath, ['--conditions=jetbridge', join(directory, 'parent.mts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [chunk] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(chunk.toString());
  t.match(await processBirth(pid), /./);
  const { watch } = await import('node:fs/promises');
  const changes = watch(directory, { signal: AbortSignal.timeout(20_000) });
  parent.kill('SIGKILL');
  const drained = async (): Promise<boolean> => (await readFile(join(directory, 'events'), 'utf8')).includes('one drain');
  for await (const _ of changes) {
    if (await drained()) {
      break;
    }
  }
  t.ok(await drained());
});

t.test('a replaced child drains and comes back, which is no failure', async (t) => {
  const { supervisor, plan, died, nextBack, events } = await bench(t);
  const first = await supervisor.add(plan('one'), never);
  const coming = nextBack();
  await supervisor.replace('one');
  t.not((await coming).pid, first.pid);
  t.strictSame(died, []);
  t.strictSame(await events(), ['one start', 'one drain', 'one start']);
  await supervisor.stop();
});

t.test('kills and restarts a child that stands still, and leaves one alone that answers badly', async (t) => {
  const { supervisor, plan, died, nextBack } = await bench(t);
  const report = await supervisor.add(plan('frozen'), never);
  const other = await supervisor.add(plan('ill'), never);
  const back = nextBack();
  process.kill(report.pid, 'SIGSTOP');
  t.not((await back).pid, report.pid);
  t.match(died, [/^frozen did not answer any more and was killed; /]);
  t.equal(supervisor.pid('ill'), other.pid, 'an answer that says 503 is an answer');
});
