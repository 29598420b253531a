import t from 'tap';
import { type Bench, type Peer, PeerMissing } from './peer.ts';
import { Runner } from './runner.ts';
import type { Scenario } from './scenario.ts';

/** Peers that only say what happens to them. */
function setUp(options: { readonly repeats?: number; readonly signal?: AbortSignal } = {}) {
  const events: string[] = [];
  const peerOf = (name: string, start?: () => never): Peer => ({
    name,
    title: name,
    start: async () => {
      start?.();
      events.push(`start ${name}`);
      return {
        target: { protocol: 'flight', uri: name, tablePrefix: '' },
        processes: [{ stage: 'server', pid: process.pid }],
        stop: async () => {
          events.push(`stop ${name}`);
        },
      };
    },
  });
  const missing = peerOf('missing', () => {
    throw new PeerMissing('no such program');
  });
  const broken = peerOf('broken', () => {
    throw new Error('cannot read /srv/app/secret.txt\n    at somewhere');
  });
  const bench: Bench = { duckdbFile: '', parquetDirectory: '', temporary: '', tools: {}, log: () => undefined };
  const runner = new Runner({
    bench,
    peers: [peerOf('a'), peerOf('b'), peerOf('c'), missing, broken],
    repeats: options.repeats ?? 2,
    startLoadClient: async () => ({ pid: process.pid, ask: async () => ({}), close: async () => undefined }),
    signal: options.signal ?? new AbortController().signal,
  });
  return { events, runner };
}

function scenarioOf(name: string, peers: readonly string[], run: Scenario['run'], more: Partial<Scenario> = {}): Scenario {
  return { name, title: name, peers, metrics: [{ name: 'm', title: 'm', unit: '', better: 'less' }], run, ...more };
}

t.test('peers take turns, beginning with another one in each repeat, after one warm-up', async (t) => {
  const { runner } = setUp({ repeats: 3 });
  const order: string[] = [];
  const scenario = scenarioOf('s', ['a', 'b', 'c'], async ({ peer }) => {
    order.push(peer.target.uri);
    return { m: order.length };
  });
  const [result] = await runner.runAll([scenario]);
  t.equal(order.join(''), 'abcabcbcacab');
  t.same(result?.peers[0]?.metrics['m']?.samples, [4, 9, 11], 'the warm-up is no sample');
  await runner.close();
});

t.test('who is missing is recorded once with a reason, and the others run', async (t) => {
  const { runner } = setUp();
  const run = async () => ({ m: 1 });
  const [one] = await runner.runAll([scenarioOf('s', ['missing', 'a', 'broken'], run), scenarioOf('u', ['missing'], run)]);
  t.same(
    one?.peers.map(({ name }) => name),
    ['a'],
  );
  t.same(
    runner.missing.map(({ name, reason }) => [name, reason]),
    [
      ['missing', 'no such program'],
      ['broken', 'did not start: cannot read secret.txt'],
    ],
  );
});

t.test('who fails keeps its samples and is left alone; the others go on', async (t) => {
  const { runner } = setUp({ repeats: 2 });
  let calls = 0;
  const run: Scenario['run'] = async ({ peer }) => {
    if (peer.target.uri === 'a') {
      calls += 1;
      if (calls === 3) {
        throw new Error('connection lost');
      }
    }
    return { m: 1 };
  };
  const [result] = await runner.runAll([scenarioOf('s', ['a', 'b'], run)]);
  t.match(result?.peers, [
    { name: 'a', failure: 'connection lost', metrics: { m: { samples: [1] } } },
    { name: 'b', metrics: { m: { samples: [1, 1] } } },
  ]);
  t.equal(result?.peers[1]?.failure, undefined);
});

t.test('peers stay up while they are needed, and start anew where memory is measured', async (t) => {
  const { runner, events } = setUp({ repeats: 1 });
  const run = async () => ({ m: 1 });
  await runner.runAll([scenarioOf('s', ['a', 'b'], run), scenarioOf('u', ['a'], run), scenarioOf('v', ['a'], run, { freshPeers: true })]);
  t.same(events, ['start a', 'start b', 'stop b', 'stop a', 'start a', 'stop a']);
});

t.test('who is stopped keeps the scenarios that are complete', async (t) => {
  const stop = new AbortController();
  const { runner } = setUp({ repeats: 1, signal: stop.signal });
  const scenarios = [
    scenarioOf('s', ['a'], async () => ({ m: 1 })),
    scenarioOf('u', ['a'], () => {
      stop.abort(new Error('stopped'));
      return new Promise(() => undefined);
    }),
  ];
  await t.rejects(runner.runAll(scenarios), /stopped/);
  t.same(
    runner.results.map(({ name }) => name),
    ['s'],
  );
  await runner.close();
});

t.test('usage is taken over what the scenario says is timed', { skip: process.platform !== 'linux' }, async (t) => {
  const { runner } = setUp({ repeats: 1 });
  const run: Scenario['run'] = async ({ measured }) => ({ m: await measured(async () => 5), bytes: 1e9 });
  const [result] = await runner.runAll([scenarioOf('s', ['a'], run)]);
  const names = Object.keys(result?.peers[0]?.metrics ?? {});
  for (const name of ['seconds', 'cpu:server', 'cpuPerGb:server', 'rss:server', 'cpu:client', 'm']) {
    t.ok(names.includes(name), name);
  }
  t.ok((result?.peers[0]?.metrics['rss:server']?.median ?? 0) > 1e6);
  t.same(
    result?.metrics.slice(0, 2).map(({ name }) => name),
    ['m', 'seconds'],
    "the scenario's own figures first",
  );
});
