import { StatusError } from '@jetbridge/proto/status-error';
import { type RecordBatch, RecordBatchStreamWriter, type Schema, Table } from 'apache-arrow';
import type { ResultFrame } from '../engine/engine.ts';
import { MESSAGE_MAX_BYTES } from '../engine/engine-limits.ts';
import { FlatTable } from './flatbuffer-table.ts';
import { flightDataFrame } from './flight-data-frame.ts';

const CONTINUATION_BYTES = 8;

/** Batches built with apache-arrow as the gRPC messages that follow the schema's; each stays below what clients accept. */
export function recordBatchFrames(schema: Schema, rows: Table | RecordBatch): ResultFrame[] {
  const batches = rows instanceof Table ? rows.batches : [rows];
  return batches.filter((batch) => batch.numRows > 0).flatMap((batch) => framesOf(schema, batch));
}

function framesOf(schema: Schema, batch: RecordBatch): ResultFrame[] {
  const bytes = frameOf(schema, batch);
  if (bytes.length <= MESSAGE_MAX_BYTES || batch.numRows === 1) {
    return [{ bytes, rows: batch.numRows, release: () => undefined }];
  }
  const half = Math.ceil(batch.numRows / 2);
  return [batch.slice(0, half), batch.slice(half)].flatMap((part) => framesOf(schema, part));
}

function frameOf(schema: Schema, batch: RecordBatch): Buffer {
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, schema);
  writer.write(batch);
  writer.finish();
  const stream = Buffer.from(writer.toUint8Array(true));
  const start = CONTINUATION_BYTES + stream.readInt32LE(4);
  const end = stream.length - CONTINUATION_BYTES;
  // The stream is schema, batch, end marker: rows of another schema make the writer stop early, and a dictionary comes before its batch.
  const metadataEnd = end > start ? start + CONTINUATION_BYTES + stream.readInt32LE(start + 4) : end;
  if (end <= start || !isRecordBatch(stream.subarray(start + CONTINUATION_BYTES, metadataEnd))) {
    throw new StatusError('internal', 'Rows do not match their schema, or hold a dictionary');
  }
  return flightDataFrame(stream.subarray(start + CONTINUATION_BYTES, metadataEnd), stream.subarray(metadataEnd, end));
}

/** `Message.header_type` (Message.fbs) is RecordBatch. */
function isRecordBatch(message: Buffer): boolean {
  return FlatTable.root(message).uint8(1, 0) === 3;
}
