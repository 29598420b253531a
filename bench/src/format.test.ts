import t from 'tap';
import { formatNumber, formatSpread, formatValue } from './format.ts';

t.test('three digits are enough', async (t) => {
  t.same([0.012345, 1.2345, 12.345, 123.45, 12345.6, 1234567].map(formatNumber), ['0.0123', '1.23', '12.3', '123', '12346', '1.23 M']);
  t.equal(formatNumber(Number.NaN), '–');
});

t.test('units', async (t) => {
  t.equal(formatValue(123_456_789, 'B'), '123 MB');
  t.equal(formatValue(50_000, 'B'), '50 kB');
  t.equal(formatValue(1.5, 's/GB'), '1.5 s/GB');
  t.equal(formatValue(2, ''), '2');
  t.equal(formatSpread(0.2), '±10 %');
});
