import { hostname, userInfo } from 'node:os';
import t from 'tap';
import { describeMachine, pinnedVersions } from './machine.ts';

t.test('versions come from the pins', async (t) => {
  t.same(pinnedVersions('duckdb==1.5.5\n# no\npyarrow==26.0.1\nloose>=1\n'), { duckdb: '1.5.5', pyarrow: '26.0.1' });
});

t.test('the machine is described without saying whose it is', async (t) => {
  const text = JSON.stringify(describeMachine({}));
  t.match(text, /"node":"v\d+/);
  t.notOk(text.includes(hostname()), 'no host');
  t.notOk(text.includes(`"${userInfo().username}"`), 'no user');
  t.notMatch(text, /"\//, 'no path');
});
