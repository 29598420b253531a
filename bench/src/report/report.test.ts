import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Results } from '../results.ts';
import { summarize } from '../statistics.ts';
import type { Verdict } from '../verdicts.ts';
import { consoleReport } from './console-report.ts';
import { resultsText, writeReports } from './files.ts';
import { htmlReport } from './html-report.ts';

const results: Results = {
  startedAt: '2026-01-02T03:04:05.000Z',
  commit: 'abc1234',
  dirty: true,
  repeats: 3,
  machine: { cpu: 'A <fast> CPU', cores: 2, memoryBytes: 16e9, kernel: 'Linux 6', node: 'v24', clients: { pyarrow: '26.0.1' } },
  scenarios: [
    {
      name: 'bulk',
      title: 'Rows & bytes',
      metrics: [
        { name: 'rowsPerS', title: 'rows', unit: 'M/s', better: 'more' },
        { name: 'cpu:gateway', title: 'CPU, gateway', unit: 's', better: 'less' },
      ],
      peers: [
        {
          name: 'mesh',
          title: 'Mesh',
          metrics: { rowsPerS: summarize([1, 2, 3]), 'cpu:gateway': summarize([0.5]), 'rss:gateway': summarize([2e8]) },
        },
        { name: 'nginx', title: 'nginx', metrics: { rowsPerS: summarize([1]) }, failure: 'broke <off>' },
      ],
    },
  ],
  missing: [{ name: 'gizmosql', title: 'GizmoSQL', reason: 'not on the PATH' }],
};

const goal = { unit: '', numerator: { scenario: 'bulk', peer: 'mesh', metric: 'rowsPerS' }, denominators: [], better: 'more' } as const;
const verdicts: readonly Verdict[] = [
  { target: { ...goal, name: 'a', title: 'Goal A', target: 1, stretch: 1.3 }, outcome: 'missed', value: 0.5, noise: 0.1 },
  { target: { ...goal, name: 'b', title: 'Goal B', target: 1, stretch: 1.3 }, outcome: 'not measured', reason: 'gizmosql is missing' },
];

t.test('the page is whole, stands for itself, and says what is missing', async (t) => {
  const page = htmlReport(results, verdicts);
  t.match(page, /^<!doctype html>[\s\S]*<\/html>\n$/);
  t.notMatch(page, /(?:src|href)="(?!#)/, 'nothing from elsewhere');
  t.notMatch(page, /<fast>|<off>/, 'text is no markup');
  t.match(page, /A &lt;fast&gt; CPU/);
  t.ok(page.indexOf('Goal A') < page.indexOf('id="bulk"'), 'goals come first');
  t.match(page, /class="badge missed">missed/);
  t.match(page, /gizmosql is missing/);
  t.match(page, /not on the PATH/);
  t.match(page, /nginx failed: broke &lt;off&gt;/);
  t.notMatch(page, /NaN|undefined|Infinity/);
});

t.test('bars are as long as what they show', async (t) => {
  const page = htmlReport(results, verdicts);
  const widths = [...page.matchAll(/<rect class="(own|other)"[^>]* width="([\d.]+)"/g)].map(([, kind, width]) => [kind, Number(width)]);
  const [own, other] = widths;
  t.equal(own?.[0], 'own');
  t.equal(other?.[0], 'other');
  t.ok(Math.abs(Number(own?.[1]) / Number(other?.[1]) - 2) < 0.01, 'medians 2 and 1');
  t.match(page, /class="whisker"/);
});

t.test('the terminal gets the same in text', async (t) => {
  const text = consoleReport(results, verdicts);
  t.match(text, /bulk: Rows & bytes\n/);
  t.match(text, /rows +2 M\/s ±50 % +1 M\/s ±0 %/);
  t.match(text, /nginx failed: broke <off>/);
  t.match(text, /missed +0\.5 +≥ 1 \(1\.3\) +Goal A/);
  t.match(text, /Goal B \[gizmosql is missing\]/);
  t.match(text, /Missing peers\n {2}gizmosql: not on the PATH/);
});

t.test('a report is written once, under its date and commit', async (t) => {
  const directory = join(t.testdir({}), 'made');
  const written = await writeReports(directory, results, verdicts);
  const names = ['2026-01-02-abc1234.html', '2026-01-02-abc1234.json'];
  t.same((await readdir(directory)).sort(), names);
  t.same(
    [...written].sort(),
    names.map((name) => join(directory, name)),
  );
  t.equal(await readFile(join(directory, '2026-01-02-abc1234.json'), 'utf8'), resultsText(results, verdicts));
});
