import t from 'tap';
import { type CpuProfile, summarize } from './cpu-profile.ts';
import { flamePage } from './flame-html.ts';

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber });

const profile: CpuProfile = {
  startTime: 0,
  endTime: 10_000,
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 3, 7] },
    { id: 2, callFrame: frame('(idle)') },
    { id: 3, callFrame: frame('serve', 'file:///somewhere/gateway/src/flight/service.ts', 9), children: [4, 5] },
    { id: 4, callFrame: frame('write', 'node:internal/streams/writable', 1) },
    { id: 5, callFrame: frame('serve', 'file:///somewhere/gateway/src/flight/service.ts', 9), children: [6] },
    { id: 6, callFrame: frame('write', 'node:internal/streams/writable', 1) },
    { id: 7, callFrame: frame('post', 'node:inspector') },
  ],
  samples: [2, 3, 4, 5, 6, 7],
  timeDeltas: [5_000, 1_000, 2_000, 500, 700, 800],
};

t.test('time is given to functions, without idling and without the profiler itself', async (t) => {
  const { functions, busyMicros, wallMicros } = summarize(profile);
  t.equal(wallMicros, 10_000);
  t.equal(busyMicros, 4_200);
  t.same(functions, [
    { name: 'write', place: 'node:internal/streams/writable:2', selfMicros: 2_700, totalMicros: 2_700 },
    { name: 'serve', place: 'gateway/src/flight/service.ts:10', selfMicros: 1_500, totalMicros: 4_200 },
  ]);
});

t.test('the page escapes what functions are called', async (t) => {
  const named: CpuProfile = {
    ...profile,
    nodes: [
      { id: 1, callFrame: frame('(root)'), children: [2] },
      { id: 2, callFrame: frame('<script>') },
    ],
    samples: [2],
    timeDeltas: [1_000],
  };
  const page = flamePage({ title: 'a & b', subtitle: '' }, summarize(named));
  t.match(page, /&lt;script&gt;/);
  t.notMatch(page, /data-n="<script>/);
  t.match(page, /a &amp; b/);
});
