import { Readable } from 'node:stream';
import t from 'tap';
import { allStatements, statementsOf } from './script.ts';
import { splitStatements } from './split.ts';

t.test('splits at semicolons only where they end a statement', async (t) => {
  const cases: readonly (readonly [sql: string, statements: readonly string[], rest: string])[] = [
    ['SELECT 1; SELECT 2;', ['SELECT 1', 'SELECT 2'], ''],
    ['SELECT 1; SELECT 2', ['SELECT 1'], 'SELECT 2'],
    [';; ;\n;', [], ''],
    ["SELECT ';', 'it''s; fine'; x", ["SELECT ';', 'it''s; fine'"], 'x'],
    ['SELECT "a;""b"; x', ['SELECT "a;""b"'], 'x'],
    ['SELECT 1 -- no; end\n; x', ['SELECT 1 -- no; end'], 'x'],
    ['SELECT /* a; /* nested; */ b; */ 1; x', ['SELECT /* a; /* nested; */ b; */ 1'], 'x'],
    ['SELECT $$a;b$$; x', ['SELECT $$a;b$$'], 'x'],
    ['SELECT $q$a;$$;b$q$; x', ['SELECT $q$a;$$;b$q$'], 'x'],
    ['SELECT $1; SELECT $2; x', ['SELECT $1', 'SELECT $2'], 'x'],
    ['SELECT a$b$ ; x$b$', ['SELECT a$b$'], 'x$b$'],
    ["SELECT E'a\\';b'; x", ["SELECT E'a\\';b'"], 'x'],
    ["SELECT 'a\\'; x", ["SELECT 'a\\'"], 'x'],
    ["SELECT name'a\\'; x", ["SELECT name'a\\'"], 'x'],
    ['-- only a comment\n/* and another */', [], ''],
    ['-- leading\nSELECT 1;', ['-- leading\nSELECT 1'], ''],
    ['SELECT 5 - -1 / 2; x', ['SELECT 5 - -1 / 2'], 'x'],
    ["SELECT '日本;語', '🛫;'; x", ["SELECT '日本;語', '🛫;'"], 'x'],
  ];
  for (const [sql, statements, rest] of cases) {
    const found = splitStatements(sql);
    t.strictSame({ statements: found.statements, rest: found.rest, open: found.open }, { statements, rest, open: false }, sql);
  }
});

t.test('knows when it is inside something', async (t) => {
  for (const sql of ["SELECT 'a;", 'SELECT "a', 'SELECT 1 /* a /* b */', 'SELECT $$a;', "SELECT E'\\'"]) {
    const found = splitStatements(`x; ${sql}`);
    t.strictSame([found.statements, found.open, found.rest.trim()], [['x'], true, sql], sql);
  }
});

t.test('a pipe gives the same statements however it is cut', async (t) => {
  const text = "SELECT 'a;b'; -- c;\nSELECT $x$;$x$; /* ; */ SELECT 'it''s';\n-- end; of\nSELECT 4";
  const whole = await collect([text]);
  t.strictSame(whole, ["SELECT 'a;b'", '-- c;\nSELECT $x$;$x$', "/* ; */ SELECT 'it''s'", '-- end; of\nSELECT 4']);
  t.strictSame(await collect([...text]), whole);
  for (let at = 1; at < text.length; at += 1) {
    t.strictSame(await collect([text.slice(0, at), text.slice(at)]), whole, `cut at ${at}`);
  }
});

t.test('a line that begins with a dot is a command where a statement could begin', async (t) => {
  const text = '.mode json\nSELECT 1\n.5 AS half; SELECT 2;\n  .tables x\nSELECT 3\n';
  const whole = await collect([text]);
  t.strictSame(whole, ['.mode json', 'SELECT 1\n.5 AS half', 'SELECT 2', '.tables x', 'SELECT 3']);
  t.strictSame(await collect([...text]), whole);
  t.strictSame(allStatements('.tables'), ['.tables']);
  t.strictSame(allStatements('SELECT 1; .tables'), ['SELECT 1', '.tables']);
});

t.test('input that ends inside a quote is an error after what was complete', async (t) => {
  const seen: string[] = [];
  await t.rejects(
    (async () => {
      for await (const statement of statementsOf(Readable.from(["SELECT 1; SELECT 'oops"]))) {
        seen.push(statement);
      }
    })(),
    /ends inside a quote or a comment: SELECT 'oops/,
  );
  t.strictSame(seen, ['SELECT 1']);
});

async function collect(chunks: readonly string[]): Promise<readonly string[]> {
  const statements: string[] = [];
  for await (const statement of statementsOf(Readable.from(chunks))) {
    statements.push(statement);
  }
  return statements;
}
