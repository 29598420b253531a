import t from 'tap';
import { claimName, sqlName } from './names.ts';

t.test('file names become names that need no quotes', async (t) => {
  const reserved = new Set(['order']);
  for (const [file, name] of [
    ['Orders 2024', 'orders_2024'],
    ['order', 'order_'],
    ['2024-01', '_2024_01'],
    ['--', 'unnamed'],
    ['Données', 'données'],
    ['a"; DROP TABLE t', 'a_drop_table_t'],
    ['x'.repeat(100), 'x'.repeat(63)],
  ] as const) {
    t.equal(sqlName(file, reserved), name);
  }
});

t.test('a taken name gets a suffix, then a number', async (t) => {
  const taken = new Set<string>();
  t.same(
    ['csv', 'json', 'json', 'json'].map((suffix) => claimName(taken, 'a', suffix)),
    ['a', 'a_json', 'a_json_2', 'a_json_3'],
  );
});
