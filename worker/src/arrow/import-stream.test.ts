import { StatusError } from '@jetbridge/proto/status-error';
import {
  Dictionary,
  Field,
  Int8,
  Int32,
  Int64,
  List,
  RecordBatchStreamWriter,
  Struct,
  Table,
  TimestampMicrosecond,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import t from 'tap';
import { seeded } from '../engine/import-mutation.fixture.ts';
import { type ImportStream, openImport } from './import-stream.ts';
import type { UploadedFlightData } from './parameter-rows.ts';
import { messagesOf } from './upload.fixture.ts';

function upload(table: Table): UploadedFlightData[] {
  const writer = new RecordBatchStreamWriter();
  writer.writeAll(table);
  writer.finish();
  return messagesOf(writer.toUint8Array(true));
}

async function* each(messages: readonly UploadedFlightData[]): AsyncGenerator<UploadedFlightData, undefined> {
  yield* messages;
}

const open = (messages: readonly UploadedFlightData[]): Promise<ImportStream> => openImport(each(messages));

async function rowsOf(messages: readonly UploadedFlightData[]): Promise<number> {
  const stream = await open(messages);
  let rows = 0;
  for (let batch = await stream.next(); batch !== undefined; batch = await stream.next()) {
    rows += batch.rows;
  }
  return rows;
}

function mixed(): Table {
  return new Table({
    id: vectorFromArray([1n, 2n, 3n], new Int64()),
    colour: vectorFromArray(['red', null, 'red'], new Dictionary(new Utf8(), new Int8())),
    list: vectorFromArray([[1], [], null], new List(new Field('item', new Int32(), true))),
    pair: vectorFromArray(
      [{ a: 1, b: 'x' }, null, { a: null, b: 'é' }],
      new Struct([new Field('a', new Int32(), true), new Field('b', new Utf8(), true)]),
    ),
    at: vectorFromArray([new Date(0), null, new Date(1)], new TimestampMicrosecond()),
  });
}

t.test('a stream is its columns and its batches', async (t) => {
  const messages = upload(mixed());
  const stream = await open(messages);
  t.same(
    stream.columns.map(({ name, sql }) => `${name} ${sql}`),
    ['id BIGINT', 'colour VARCHAR', 'list INTEGER[]', 'pair STRUCT("a" INTEGER, "b" VARCHAR)', 'at TIMESTAMP'],
  );
  t.equal(await rowsOf(messages), 3);
  const empty = { dataHeader: Buffer.alloc(0), dataBody: Buffer.alloc(0) };
  t.equal(await rowsOf([empty, ...messages, empty]), 3, 'messages without Arrow are passed over');
  t.equal(await rowsOf(upload(mixed().slice(0, 0))), 0);
});

t.test('an order that makes no sense is refused', async (t) => {
  const messages = upload(mixed());
  const [schema, dictionary, batch] = messages as [UploadedFlightData, UploadedFlightData, UploadedFlightData];
  await t.rejects(rowsOf([]), { code: 'invalid_argument', message: /schema/ });
  await t.rejects(rowsOf([batch]), { code: 'invalid_argument', message: /schema/ });
  await t.rejects(rowsOf([schema, schema]), { code: 'invalid_argument', message: /second schema/ });
  await t.rejects(rowsOf([schema, batch]), { code: 'invalid_argument', message: /dictionary/ });
  t.equal(await rowsOf([schema, dictionary, batch, dictionary, batch]), 6, 'a dictionary may be replaced');
});

t.test('schemas that describe themselves without end are refused', async (t) => {
  const deep = Array.from({ length: 40 }).reduce<List | Int32>((child) => new List(new Field('item', child, true)), new Int32());
  const table = new Table({ deep: vectorFromArray([null], deep) });
  await t.rejects(open(upload(table)), { code: 'invalid_argument', message: /nested too deep/ });
});

/** One to three bytes changed, mostly of the headers. */
function damage(messages: readonly UploadedFlightData[], random: (below: number) => number): UploadedFlightData[] {
  const damaged = messages.map(({ dataHeader, dataBody }) => ({ dataHeader: Buffer.from(dataHeader), dataBody: Buffer.from(dataBody) }));
  for (let left = 1 + random(3); left > 0; left--) {
    const one = damaged[random(damaged.length)];
    const part = random(3) === 0 ? one?.dataBody : one?.dataHeader;
    if (part !== undefined && part.length > 0) {
      part[random(part.length)] = random(256);
    }
  }
  return damaged;
}

t.test('damaged messages are refused or taken, and nothing else happens', async (t) => {
  const random = seeded(7);
  const messages = upload(mixed());
  let taken = 0;
  for (let round = 0; round < 5000; round++) {
    try {
      await rowsOf(damage(messages, random));
      taken += 1;
    } catch (thrown) {
      if (!(thrown instanceof StatusError) || !['invalid_argument', 'unimplemented', 'resource_exhausted'].includes(thrown.code)) {
        throw thrown;
      }
    }
  }
  t.ok(taken > 100 && taken < 4900, `${taken} were taken`);
});
