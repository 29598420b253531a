import { FlatTable } from './flatbuffer-table.ts';
import type { UploadedFlightData } from './parameter-rows.ts';

/** An IPC stream as the messages of an upload. */
export function messagesOf(stream: Uint8Array): UploadedFlightData[] {
  const bytes = Buffer.from(stream);
  const messages: UploadedFlightData[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes.readInt32LE(at + 4);
    if (length === 0) {
      break;
    }
    const dataHeader = bytes.subarray(at + 8, at + 8 + length);
    const bodyLength = Number(FlatTable.root(dataHeader).int64(3));
    at += 8 + length;
    messages.push({ dataHeader, dataBody: bytes.subarray(at, at + bodyLength) });
    at += bodyLength;
  }
  return messages;
}
