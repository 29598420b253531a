import type { FlightDataHead } from '@jetbridge/proto/flight';
import { StatusError } from '@jetbridge/proto/status-error';
import { type RecordBatch, RecordBatchReader, type Schema } from 'apache-arrow';

// Encapsulated message format: 0xFFFFFFFF, the length of the padded metadata, the metadata, the body.
const CONTINUATION = 0xff_ff_ff_ff;
const PREFIX_BYTES = 8;
const ALIGNMENT = 8;
const END_OF_STREAM = Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);
// Where a Message flatbuffer with a schema differs from the others is inside; a result's endpoints each begin with one.
const HEADER_SCHEMA = 1;

/** A result as an Arrow IPC stream: the message bytes of the server in their own frames, not decoded. A result cut short rejects and has no end mark. */
export async function* ipcStream(messages: AsyncIterable<FlightDataHead>): AsyncGenerator<Buffer> {
  let schemaSeen = false;
  for await (const { dataHeader, dataBody } of messages) {
    if (dataHeader.length === 0) {
      continue;
    }
    const isSchema = headerType(dataHeader) === HEADER_SCHEMA;
    if (!isSchema || !schemaSeen) {
      yield frame(dataHeader);
      if (dataBody.length > 0) {
        yield dataBody;
      }
    }
    schemaSeen ||= isSchema;
  }
  if (!schemaSeen) {
    throw new StatusError('data_loss', 'the server sent a result without a schema');
  }
  yield END_OF_STREAM;
}

/** A result being decoded. `close` ends it early and resets its stream. */
export interface Batches {
  readonly schema: Schema;
  readonly batches: AsyncIterable<RecordBatch>;
  close(): Promise<void>;
}

export async function readBatches(messages: AsyncIterable<FlightDataHead>): Promise<Batches> {
  const stream = ipcStream(messages);
  const reader = await RecordBatchReader.from(stream);
  await reader.open({ autoDestroy: false });
  return {
    schema: reader.schema,
    batches: reader,
    close: async () => {
      await stream.return(undefined);
    },
  };
}

/** Whether an encapsulated schema message has no fields: how servers before `is_update` marked a statement without rows. */
export function hasNoFields(schemaMessage: Buffer): boolean {
  return schemaMessage.length === 0 || RecordBatchReader.from(schemaMessage).open().schema.fields.length === 0;
}

function frame(metadata: Buffer): Buffer {
  const padded = Math.ceil((PREFIX_BYTES + metadata.length) / ALIGNMENT) * ALIGNMENT - PREFIX_BYTES;
  const framed = Buffer.alloc(PREFIX_BYTES + padded);
  framed.writeUInt32LE(CONTINUATION, 0);
  framed.writeInt32LE(padded, 4);
  metadata.copy(framed, PREFIX_BYTES);
  return framed;
}

/** The `header_type` field (the second) of a Message table, read from the flatbuffer: root offset, then vtable, then field. */
function headerType(message: Buffer): number {
  if (message.length < 8) {
    return 0;
  }
  const table = message.readUInt32LE(0);
  const vtable = table - message.readInt32LE(table);
  const vtableBytes = message.readUInt16LE(vtable);
  const field = vtableBytes >= 8 ? message.readUInt16LE(vtable + 6) : 0;
  return field === 0 ? 0 : message.readUInt8(table + field);
}
