import { decodeFlightData, type FlightDataHead } from '@jetbridge/proto/flight';
import { type Schema, type Table, tableFromIPC } from 'apache-arrow';
import { schemaMessage } from '../arrow/schema-message.ts';
import type { ResultFrame } from '../engine/engine.ts';

// Arrow IPC, "Encapsulated message format": a continuation marker, the length of the metadata, the metadata padded to 8 bytes, the body.
const PREFIX_BYTES = 8;
const CONTINUATION = 0xffffffff;
const GRPC_PREFIX_BYTES = 5;

/** Rows that the engine answered, for statements of our own. */
export function tableOfFrames(schema: Schema, frames: readonly ResultFrame[]): Table {
  const batches = frames.map((frame) => decodeFlightData(frame.bytes.subarray(GRPC_PREFIX_BYTES)));
  return tableFromIPC(Buffer.concat([schemaMessage(schema), ...batches.flatMap(encapsulated)]));
}

/** One message of an Arrow stream, in parts. */
export function encapsulated(message: Pick<FlightDataHead, 'dataHeader' | 'dataBody'>): readonly Buffer[] {
  const padding = -message.dataHeader.length & 7;
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(CONTINUATION, 0);
  prefix.writeInt32LE(message.dataHeader.length + padding, 4);
  return [prefix, message.dataHeader, Buffer.alloc(padding), message.dataBody];
}
