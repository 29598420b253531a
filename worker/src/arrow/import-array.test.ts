import { StatusError } from '@jetbridge/proto/status-error';
import t from 'tap';
import { INGEST_BATCH_VALUES_MAX } from '../engine/engine-limits.ts';
import { column, imported, indexed, type MadeColumn, message, NO_NULLS, texts, validityOf } from './import.fixture.ts';
import { importColumns } from './import-type.ts';
import type { UploadedType } from './uploaded-message.ts';

const int32 = { kind: 'int', bits: 32, signed: true } as const;
const int64 = { kind: 'int', bits: 64, signed: true } as const;

function refused(t: Tap, made: readonly MadeColumn[], detail: RegExp, label?: string): void {
  t.throws(() => imported(message(made)), { code: 'invalid_argument', message: detail }, label ?? detail.source);
}
type Tap = typeof t;

const one = (type: UploadedType, ...buffers: readonly ArrayBufferView[]): MadeColumn[] => [column('c', type, 2, [NO_NULLS, ...buffers])];

t.test('lengths and buffers must agree', async (t) => {
  refused(
    t as Tap,
    [column('a', int32, 2, [NO_NULLS, Int32Array.of(1, 2)]), column('b', int32, 1, [NO_NULLS, Int32Array.of(1)])],
    /another length/,
  );
  refused(t as Tap, one(int32, Int32Array.of(1)), /shorter than its values/);
  refused(t as Tap, one({ kind: 'bool' }, NO_NULLS), /shorter than its values/);
  refused(
    t as Tap,
    [{ ...column('c', int32, 2, [NO_NULLS, Int32Array.of(1, 2)]), nulls: 1 }],
    /shorter than its values/,
    'NULLs without a bitmap',
  );
  refused(t as Tap, [{ ...column('c', int32, 2, [NO_NULLS, Int32Array.of(1, 2)]), nulls: 3 }], /another length/);
  refused(t as Tap, [{ ...column('c', int32, 2, [NO_NULLS]), buffers: [] }], /missing/);
  const made = message(one(int64, BigInt64Array.of(1n, 2n)));
  const shifted = { ...made, batch: { ...made.batch, buffers: [0n, 0n, 4n, 16n] }, body: Buffer.concat([made.body, Buffer.alloc(8)]) };
  t.throws(() => imported(shifted), { code: 'invalid_argument', message: /eight bytes/ });
  const beyond = { ...made, batch: { ...made.batch, buffers: [0n, 0n, 2n ** 62n, 16n] } };
  t.throws(() => imported(beyond), { code: 'invalid_argument', message: /outside/ });
});

t.test('offsets must lead upwards and stay inside', async (t) => {
  const bytes = Buffer.from('abcd');
  for (const offsets of [Int32Array.of(0, 3, 2), Int32Array.of(0, 2, 5), Int32Array.of(-1, 2, 3)]) {
    refused(t as Tap, one({ kind: 'utf8' }, offsets, bytes), /offset/, offsets.join());
    const children = [column('item', int32, 4, [NO_NULLS, new Int32Array(4)])];
    refused(t as Tap, [column('c', { kind: 'list' }, 2, [NO_NULLS, offsets], children)], /offset|length/, `list ${offsets.join()}`);
  }
  for (const offsets of [BigInt64Array.of(0n, 3n, 2n), BigInt64Array.of(0n, 2n, 2n ** 32n), BigInt64Array.of(-1n, 0n, 1n)]) {
    refused(t as Tap, one({ kind: 'large_utf8' }, offsets, bytes), /offset/, offsets.join());
  }
  const shortChild = [column('item', int32, 3, [NO_NULLS, new Int32Array(3)])];
  refused(t as Tap, [column('c', { kind: 'fixed_list', size: 2 }, 2, [NO_NULLS], shortChild)], /another length/);
});

t.test('texts are UTF-8, each by itself', async (t) => {
  refused(t as Tap, one({ kind: 'utf8' }, Int32Array.of(0, 1, 2), Buffer.from([0xff, 0x41])), /UTF-8/);
  refused(t as Tap, one({ kind: 'utf8' }, Int32Array.of(0, 1, 2), Buffer.from('é')), /UTF-8/, 'a character in two texts');
  t.doesNotThrow(() => imported(message(one({ kind: 'binary' }, Int32Array.of(0, 1, 2), Buffer.from([0xff, 0x41])))));
});

t.test('views stay inside their buffers', async (t) => {
  const view = (length: number, buffer: number, offset: number): Int32Array => Int32Array.of(length, 0, buffer, offset, 0, 0, 0, 0);
  const bytes = Buffer.alloc(20, 'x');
  for (const words of [view(-1, 0, 0), view(13, 1, 0), view(13, -1, 0), view(13, 0, 8), view(13, 0, -1), view(2 ** 31 - 1, 0, 0)]) {
    refused(t as Tap, one({ kind: 'utf8_view' }, words, bytes), /view/, words.join());
  }
  t.doesNotThrow(() => imported(message(one({ kind: 'utf8_view' }, view(13, 0, 7), bytes))));
});

t.test('values outside of their types are refused, unless they are NULL', async (t) => {
  const cases: readonly (readonly [UploadedType, ArrayBufferView])[] = [
    [{ kind: 'date', milliseconds: false }, Int32Array.of(0, -(2 ** 31))],
    [{ kind: 'date', milliseconds: true }, BigInt64Array.of(0n, 2n ** 62n)],
    [{ kind: 'time', unit: 'second', bits: 32 }, Int32Array.of(0, 86_401)],
    [{ kind: 'time', unit: 'microsecond', bits: 64 }, BigInt64Array.of(0n, -1n)],
    [{ kind: 'time', unit: 'nanosecond', bits: 64 }, BigInt64Array.of(0n, 86_400_000_000_001n)],
    [{ kind: 'timestamp', unit: 'microsecond', zoned: false }, BigInt64Array.of(0n, -(2n ** 63n))],
    [{ kind: 'timestamp', unit: 'second', zoned: true }, BigInt64Array.of(0n, 2n ** 62n)],
    [{ kind: 'decimal', precision: 4, scale: 0, bits: 128 }, BigInt64Array.of(0n, 0n, 10_000n, 0n)],
    [{ kind: 'decimal', precision: 4, scale: 0, bits: 128 }, BigInt64Array.of(0n, 0n, 0n, 1n)],
    [{ kind: 'decimal', precision: 4, scale: 0, bits: 32 }, Int32Array.of(0, -10_000)],
    [{ kind: 'decimal', precision: 18, scale: 0, bits: 64 }, BigInt64Array.of(0n, 10n ** 18n)],
    [{ kind: 'decimal', precision: 38, scale: 0, bits: 128 }, BigInt64Array.of(0n, 0n, 0n, 2n ** 63n - 1n)],
  ];
  for (const [type, values] of cases) {
    const label = JSON.stringify(type);
    refused(t as Tap, one(type, values), /range/, label);
    t.doesNotThrow(() => imported(message([column('c', type, 2, [validityOf(2, [1]), values])])), label);
  }
  t.doesNotThrow(() =>
    imported(message(one({ kind: 'timestamp', unit: 'microsecond', zoned: false }, BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n) + 1n)))),
  );
});

t.test('indices name values of their dictionary', async (t) => {
  const values = texts('values', ['a', 'b']);
  for (const index of [2, -1, 127]) {
    const indices = column('c', { kind: 'int', bits: 8, signed: true }, 1, [NO_NULLS, Int8Array.of(index)]);
    t.throws(() => imported(message([indexed(indices, values, 1n)]), [message([values])]), {
      code: 'invalid_argument',
      message: /dictionary/,
    });
  }
  const missing = column('c', int32, 1, [NO_NULLS, Int32Array.of(0)]);
  t.throws(() => imported(message([indexed(missing, values, 1n)])), { code: 'invalid_argument', message: /not sent/ });
  const wide = column('c', int64, 1, [NO_NULLS, BigInt64Array.of(2n ** 32n)]);
  t.throws(() => imported(message([indexed(wide, values, 1n)]), [message([values])]), { code: 'invalid_argument', message: /dictionary/ });
});

t.test('short messages cannot ask for much memory', async (t) => {
  const rows = INGEST_BATCH_VALUES_MAX + 1;
  t.throws(() => imported(message([column('c', { kind: 'null' }, rows, [])])), { code: 'resource_exhausted' });
  const huge = column('item', { kind: 'null' }, INGEST_BATCH_VALUES_MAX, []);
  t.throws(() => imported(message([column('c', { kind: 'list' }, 1, [NO_NULLS, Int32Array.of(0, INGEST_BATCH_VALUES_MAX)], [huge])])), {
    code: 'resource_exhausted',
  });
  const views = new Int32Array(400 * 4);
  for (let i = 0; i < 400; i++) {
    views[i * 4] = 1024 * 1024;
  }
  const repeated = column('c', { kind: 'utf8_view' }, 400, [NO_NULLS, views, Buffer.alloc(1024 * 1024, 'x')]);
  t.throws(() => imported(message([repeated])), { code: 'resource_exhausted', message: /spelled out/ });
  const long = texts('values', ['x'.repeat(1024 * 1024)]);
  const indices = column('c', { kind: 'int', bits: 8, signed: true }, 400, [NO_NULLS, new Int8Array(400)]);
  t.throws(() => imported(message([indexed(indices, long, 1n)]), [message([long])]), {
    code: 'resource_exhausted',
    message: /spelled out/,
  });
});

t.test('fixed-size lists within each other multiply, and are bounded', async (t) => {
  const { field } = column('c', int32, 0, [NO_NULLS, NO_NULLS]);
  const list = (size: number, child: typeof field): typeof field => ({ ...field, type: { kind: 'fixed_list', size }, children: [child] });
  t.doesNotThrow(() => importColumns([list(4096, field)]));
  t.throws(() => importColumns([list(1000, list(1000, field))]), { code: 'resource_exhausted' });
  const within = { ...field, type: { kind: 'list' }, children: [list(1000, list(1000, field))] } as const;
  t.throws(() => importColumns([within]), { code: 'resource_exhausted' });
  t.throws(() => importColumns(['a', 'b'].map((name) => ({ ...list(20_000, field), name }))), { code: 'resource_exhausted' });
});

t.test('buffers that overlap cannot undo each other', async (t) => {
  const stamps = column('a', { kind: 'timestamp', unit: 'microsecond', zoned: false }, 2, [
    validityOf(2, [0, 1]),
    BigInt64Array.of(5n, 6n),
  ]);
  const made = message([stamps, texts('b', ['ab', 'cd'])]);
  const offsets = made.batch.buffers[6] ?? 0n;
  const overlapping = { ...made, batch: { ...made.batch, buffers: made.batch.buffers.map((word, i) => (i === 2 ? offsets : word)) } };
  const padded = { ...overlapping, body: Buffer.concat([made.body, Buffer.alloc(16)]) };
  const { batch } = imported(padded);
  const kept = batch.columns[1]?.buffers[0];
  t.same(kept === undefined ? [] : [...new Int32Array(kept.buffer, kept.byteOffset, 3)], [0, 2, 4]);
});

t.test('names and types that DuckDB has not are refused', async (t) => {
  const named = (name: string): MadeColumn => column(name, int32, 1, [NO_NULLS, Int32Array.of(1)]);
  for (const names of [['a', 'A'], [''], ['a\0b'], []]) {
    t.throws(() => importColumns(names.map((name) => named(name).field)), { code: 'invalid_argument' }, names.join());
  }
  const types: readonly UploadedType[] = [
    { kind: 'unknown' },
    { kind: 'float', bits: 16 },
    { kind: 'decimal', precision: 40, scale: 0, bits: 256 },
    { kind: 'decimal', precision: 4, scale: 5, bits: 128 },
    { kind: 'interval', unit: 'day_time' },
    { kind: 'fixed_list', size: 0 },
    { kind: 'fixed_binary', width: 0 },
    { kind: 'struct' },
    { kind: 'list' },
    { kind: 'map' },
    { kind: 'int', bits: 7, signed: true },
    { kind: 'time', unit: 'second', bits: 64 },
  ];
  for (const type of types) {
    const { field } = named('c');
    const children = type.kind === 'fixed_list' ? [field] : [];
    t.throws(() => importColumns([{ ...field, type, children }]), StatusError, JSON.stringify(type));
  }
});
