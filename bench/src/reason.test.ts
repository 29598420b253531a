import t from 'tap';
import { reasonOf, withoutPaths } from './reason.ts';

t.test('the first line and the one that names the error', async (t) => {
  const trace = '/opt/node/bin/node ended: file:///srv/app/a.ts:9\n  import x;\n\nSyntaxError: no export named x\n    at f (node:internal)';
  t.equal(reasonOf(new Error(trace)), 'node ended: a.ts:9 SyntaxError: no export named x');
  t.equal(reasonOf(new Error('nginx is not installed')), 'nginx is not installed');
  t.equal(reasonOf('plain text'), 'plain text');
  t.equal(reasonOf(new Error('')), 'unknown');
});

t.test('paths become the names of files', async (t) => {
  t.equal(withoutPaths('cannot open /home/somebody/data/x.duckdb: gone'), 'cannot open x.duckdb: gone');
  t.equal(withoutPaths('TPC-H Q1/Q2, 3 s/GB and grpc://127.0.0.1:5'), 'TPC-H Q1/Q2, 3 s/GB and grpc://127.0.0.1:5');
});
