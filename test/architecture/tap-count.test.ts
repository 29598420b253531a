import t from 'tap';
import { TapCounter } from '../../cli/bootstrap/tap-count.mjs';

function countsOf(tap: string) {
  const counter = new TapCounter();
  const files = tap.split('\n').flatMap((line) => counter.line(line) ?? []);
  return { ...counter.counts, files: files.map((file) => file.name) };
}

t.test('a block of assertions is one test, the innermost counts, and skips are seen', async (t) => {
  const tap = `TAP version 14
1..1
# Subtest: a.test.ts
    # Subtest: outer
        # Subtest: first
            ok 1 - has \\# SKIP in its name
            ok 2 - x
            1..2
        ok 1 - first # time=1ms
        # Subtest: second
            not ok 1 - x
              ---
              source: |
                ok 1 - not a result
                    ...
              ...
            1..1
        not ok 2 - second # time=1ms
        1..2
    not ok 1 - outer # time=2ms
    ok 2 - waits for Redis # SKIP no Redis here
    ok 3 - later # TODO
    # Subtest: partly
        ok 1 - x
        ok 2 - y # SKIP not on this machine
        1..2
    ok 4 - partly # time=1ms
    1..4
not ok 1 - a.test.ts # time=3ms`;
  t.same(countsOf(tap), { passed: 2, failed: 1, skipped: 3, files: ['a.test.ts'] });
});

t.test('assertions of a file itself are one test', async (t) => {
  t.match(countsOf('    ok 1 - x\n    ok 2 - y\n    1..2\nok 1 - a.test.ts # time=3ms'), { passed: 1, failed: 0, skipped: 0 });
});

t.test('a file that crashes after its last test has failed', async (t) => {
  const tap = '    # Subtest: x\n        ok 1 - y\n        1..1\n    ok 1 - x # time=1ms\nnot ok 1 - a.test.ts # time=3ms';
  t.match(countsOf(tap), { passed: 1, failed: 1, skipped: 0 });
});

t.test('a file without tests has failed; one that was skipped says so', async (t) => {
  t.match(countsOf('    1..0 # no tests found\nok 1 - a.test.ts # SKIP no tests found'), { passed: 0, failed: 1, skipped: 0 });
  t.match(countsOf('    1..0\nok 1 - a.test.ts # time=1ms'), { passed: 0, failed: 1, skipped: 0 });
  t.match(countsOf('    1..0 # no Redis\nok 1 - a.test.ts # SKIP no Redis'), { passed: 0, failed: 0, skipped: 1 });
});
