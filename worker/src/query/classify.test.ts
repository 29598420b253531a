import t from 'tap';
import { leadingTokens, natureOf, requireAllowed } from './classify.ts';

t.test('a statement is plain only when it is known to leave nothing behind', async (t) => {
  for (const sql of [
    'SELECT 1',
    ' -- note\n select 1',
    '/* a /* nested */ b */ with x as (select 1) from x',
    'INSERT INTO t VALUES (1)',
    'create table t(i int)',
    '(select 1)',
  ]) {
    t.equal(natureOf(sql), 'plain', sql);
  }
  for (const sql of [
    'SET x = 1',
    'create temp table t(i int)',
    'CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1',
    'create table temp.t(i int)',
    'pragma x',
    'call f()',
    'prepare p as select 1',
    'set variable schema = 1',
    '',
  ]) {
    t.equal(natureOf(sql), 'stateful', sql);
  }
  for (const sql of ['BEGIN', 'commit', 'start transaction', 'ROLLBACK;']) {
    t.equal(natureOf(sql), 'transaction', sql);
  }
  for (const sql of ['use x', "SET schema = 'a'", "set SESSION search_path='a'", '; use x']) {
    t.equal(natureOf(sql), 'location', sql);
  }
});

t.test('statements that reach outside are refused however they are wrapped', async (t) => {
  for (const sql of [
    "ATTACH 'x'",
    "/* */ copy t to 'x'",
    "explain analyze copy t to 'x'",
    "EXPLAIN (ANALYZE) COPY t TO 'x'",
    "prepare p as copy t to 'x'",
    '; install x',
    'load x',
    "export database 'x'",
  ]) {
    t.throws(() => requireAllowed(sql), { code: 'permission_denied' }, sql);
  }
  for (const sql of ['select copy from load', 'explain select load from t', 'insert into copy values (1)']) {
    t.doesNotThrow(() => requireAllowed(sql), sql);
  }
});

t.test('leading tokens end at the bound and survive an open comment', async (t) => {
  t.equal(leadingTokens('a '.repeat(1000)).length, 24);
  t.same(leadingTokens('/* open'), []);
  t.same(leadingTokens('"a ""b" c'), ['"a ""b"', 'c']);
});
