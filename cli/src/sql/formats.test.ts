import { Table as ArrowTable, Decimal, Int32, type RecordBatch, type Table, tableFromArrays, Utf8, vectorFromArray } from 'apache-arrow';
import t from 'tap';
import { TABLE_SAMPLE_ROWS } from '../limits.ts';
import { cellsOf } from './cells.ts';
import { type PrintOptions, rowPrinterOf } from './formats.ts';
import { displayWidth, fitWidth, visibleText } from './text-width.ts';

function print(table: Table, options: Partial<PrintOptions>): string {
  const printer = rowPrinterOf({ format: 'table', isTerminal: false, maxRows: undefined, ...options });
  let text = printer.head(table.schema);
  for (const batch of table.batches as RecordBatch[]) {
    text += printer.rows(cellsOf(batch), batch.numRows);
  }
  return text + printer.tail();
}

const SMALL = new ArrowTable({
  n: vectorFromArray([1, 20, null], new Int32()),
  name: vectorFromArray(['plain', 'with, "comma"', ''], new Utf8()),
});

t.test('csv keeps NULL and empty text apart and quotes what needs it', async (t) => {
  t.equal(print(SMALL, { format: 'csv' }), 'n,name\n1,plain\n20,"with, ""comma"""\n,""\n');
});

t.test('json is one array with an object a line', async (t) => {
  const text = print(SMALL, { format: 'json' });
  t.equal(text, '[{"n":1,"name":"plain"},\n{"n":20,"name":"with, \\"comma\\""},\n{"n":null,"name":""}]\n');
  t.strictSame(JSON.parse(text), [
    { n: 1, name: 'plain' },
    { n: 20, name: 'with, "comma"' },
    { n: null, name: '' },
  ]);
  t.equal(print(new ArrowTable({ n: vectorFromArray([], new Int32()) }), { format: 'json' }), '[]\n');
});

t.test('a table has aligned columns, numbers to the right, NULL visible', async (t) => {
  t.equal(
    print(SMALL, {}),
    ['  n   | name', '------+---------------', '    1 | plain', '   20 | with, "comma"', ' NULL | ', '']
      .join('\n')
      .replace('  n   |', '    n |'),
  );
});

t.test('decimals align and wide characters count twice', async (t) => {
  const table = new ArrowTable({
    都市: vectorFromArray(['東京', 'Rome'], new Utf8()),
    d: vectorFromArray([Uint32Array.of(150, 0, 0, 0), Uint32Array.of(5, 0, 0, 0)], new Decimal(2, 10, 128)),
  });
  t.equal(print(table, {}), [' 都市 |    d', '------+------', ' 東京 | 1.50', ' Rome | 0.05', ''].join('\n'));
});

t.test('a result longer than the sample goes on in the same columns', async (t) => {
  const rows = TABLE_SAMPLE_ROWS * 2 + 3;
  const lines = print(tableFromArrays({ i: Int32Array.from({ length: rows }, (_, i) => i) }), {})
    .trimEnd()
    .split('\n');
  t.equal(lines.length, rows + 2);
  t.equal(lines.at(-1)?.trim(), String(rows - 1));
});

t.test('a terminal gets a bounded table, cut cells and nothing it would obey', async (t) => {
  const long = 'x'.repeat(200);
  const table = new ArrowTable({ s: vectorFromArray([long, 'a\nb', '\u001b[31mred'], new Utf8()) });
  const text = print(table, { isTerminal: true, maxRows: 3 });
  t.notMatch(text, '\u001b');
  t.match(text, 'a\\nb');
  t.match(text, `${'x'.repeat(79)}…`);
  t.match(print(table, {}), long, 'no cut elsewhere');
  const many = tableFromArrays({ i: Int32Array.from({ length: 5000 }, (_, i) => i) });
  t.equal(print(many, { isTerminal: true }).trimEnd().split('\n').length, 1002);
  t.equal(print(many, { isTerminal: true, maxRows: 0 }).trimEnd().split('\n').length, 5002);
});

t.test('--max-rows bounds every format', async (t) => {
  const many = tableFromArrays({ i: Int32Array.from({ length: 50 }, (_, i) => i) });
  t.equal(print(many, { format: 'csv', maxRows: 2 }), 'i\n0\n1\n');
  t.equal(print(many, { format: 'json', maxRows: 2 }), '[{"i":0},\n{"i":1}]\n');
});

t.test('equal column names become different keys', async (t) => {
  const printer = rowPrinterOf({ format: 'json', isTerminal: false, maxRows: undefined });
  const { schema } = tableFromArrays({ a: Int32Array.of(1) });
  const [field] = schema.fields;
  printer.head({ fields: [field, field, field] } as never);
  const [batch] = tableFromArrays({ a: Int32Array.of(1), b: Int32Array.of(2), c: Int32Array.of(3) }).batches;
  t.equal(printer.rows(cellsOf(batch as RecordBatch), 1), '{"a":1,"a_2":2,"a_3":3}');
});

t.test('widths', async (t) => {
  t.equal(displayWidth('e\u0301a'), 2);
  t.equal(displayWidth('日本'), 4);
  t.equal(fitWidth('日本語', 5), '日本…');
  t.equal(fitWidth('abcdef', 6), 'abcdef');
  t.equal(visibleText('a\tb\u0007\u202e'), 'a\\tb\\u0007\\u202e');
});
