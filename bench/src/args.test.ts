import t from 'tap';
import { chosen, parseBenchArguments, UsageError } from './args.ts';

t.test('without flags everything runs, five times', async (t) => {
  t.same(parseBenchArguments([]), {
    command: 'bench',
    scenarios: [],
    peers: [],
    repeats: 5,
    json: false,
    out: undefined,
    list: false,
    saveBaseline: false,
  });
});

t.test('flags', async (t) => {
  const args = parseBenchArguments([
    '--scenario',
    'a',
    '--scenario',
    'b',
    '--peer',
    'mesh',
    '--repeats',
    '2',
    '--json',
    '--out',
    'x',
    '--list',
  ]);
  t.same(args.scenarios, ['a', 'b']);
  t.same(args.peers, ['mesh']);
  t.match(args, { repeats: 2, json: true, out: 'x', list: true });
  t.match(parseBenchArguments(['check', '--save-baseline']), { command: 'check', repeats: 3, saveBaseline: true });
});

t.test('what cannot be meant is refused', async (t) => {
  for (const args of [['--repeats', '0'], ['--repeats', 'x'], ['--fast'], ['run'], ['check', 'twice'], ['--save-baseline']]) {
    t.throws(() => parseBenchArguments(args), UsageError, args.join(' '));
  }
});

t.test('names choose in the known order', async (t) => {
  const known = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];
  t.same(chosen('peer', known, ['c', 'a']), [{ name: 'a' }, { name: 'c' }]);
  t.same(chosen('peer', known, []), known);
  t.throws(() => chosen('peer', known, ['x']), /no peer is called x; there are a, b, c/);
});
