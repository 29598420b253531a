import { Table, tableFromArrays, tableFromIPC, Utf8, vectorFromArray } from 'apache-arrow';
import t from 'tap';
import { MESSAGE_MAX_BYTES } from '../engine/engine-limits.ts';
import { ipcStream } from '../engine/result-reading.fixture.ts';
import { recordBatchFrames } from './record-batch-frames.ts';
import { schemaFrame, schemaMessage } from './schema-message.ts';

function readBack(table: Table): Table {
  return tableFromIPC(
    ipcStream(
      table.schema,
      recordBatchFrames(table.schema, table).map((frame) => frame.bytes),
    ),
  );
}

t.test('rows survive, slices included', async (t) => {
  const table = tableFromArrays({ i: Int32Array.from({ length: 100 }, (_, i) => i) }).assign(
    tableFromArrays({ j: Float64Array.from({ length: 100 }, (_, i) => i / 2) }),
  );
  t.same(readBack(table).toArray().map(String), table.toArray().map(String));
  t.same(readBack(table.slice(33, 77)).toArray().map(String), table.slice(33, 77).toArray().map(String));
  t.same(recordBatchFrames(table.schema, table.slice(0, 0)), []);
  t.equal(recordBatchFrames(table.schema, table.batches[0] ?? table).length, 1);
});

t.test('a large table is split below the message limit', async (t) => {
  const table = tableFromArrays({ x: Float64Array.from({ length: 1_000_000 }, (_, i) => i) });
  const frames = recordBatchFrames(table.schema, table);
  t.ok(frames.length > 2 && frames.every((frame) => frame.bytes.length <= MESSAGE_MAX_BYTES));
  t.equal(
    frames.reduce((sum, frame) => sum + frame.rows, 0),
    1_000_000,
  );
});

t.test('rows of another schema and dictionaries are refused', async (t) => {
  const plain = tableFromArrays({ i: new Int32Array([1]) });
  const other = new Table({ s: vectorFromArray(['x'], new Utf8()) });
  t.throws(() => recordBatchFrames(plain.schema, other), { code: 'internal' });
  const dictionary = tableFromArrays({ s: ['x', 'y'] });
  t.throws(() => recordBatchFrames(dictionary.schema, dictionary), { code: 'internal' });
});

t.test('a schema travels alone', async (t) => {
  const { schema } = tableFromArrays({ i: new Int32Array([1]) });
  t.equal(tableFromIPC(schemaMessage(schema)).schema.fields[0]?.name, 'i');
  t.same(tableFromIPC(ipcStream(schema, [])).schema.fields.length, 1);
  const frame = schemaFrame(schema);
  t.equal(frame.readUInt32BE(1), frame.length - 5);
});
