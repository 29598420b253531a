import { RecordBatchStreamWriter, type Schema } from 'apache-arrow';
import { flightDataFrame } from './flight-data-frame.ts';

// Arrow IPC encapsulated message: 0xFFFFFFFF, int32 length of the metadata (padding included), metadata.
const CONTINUATION_BYTES = 8;

// A statement's schema is asked for at each of its steps. A message lives as long as its schema, which weighs more.
const messages = new WeakMap<Schema, Buffer>();

/** The encapsulated IPC schema message: what FlightInfo.schema, dataset_schema, parameter_schema and table_schema carry. */
export function schemaMessage(schema: Schema): Buffer {
  let message = messages.get(schema);
  if (message === undefined) {
    message = encodedSchema(schema);
    messages.set(schema, message);
  }
  return message;
}

function encodedSchema(schema: Schema): Buffer {
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, schema);
  writer.finish();
  const stream = writer.toUint8Array(true);
  const length = new DataView(stream.buffer, stream.byteOffset).getInt32(4, true);
  return Buffer.from(stream.subarray(0, CONTINUATION_BYTES + length));
}

/** The schema as a complete gRPC message holding a FlightData: the first message of every DoGet. */
export function schemaFrame(schema: Schema): Buffer {
  return flightDataFrame(schemaMessage(schema).subarray(CONTINUATION_BYTES), new Uint8Array(0));
}
