import { workerIdOfHandle } from '@jetbridge/proto/handle';

// Field numbers: FlightInfo.endpoint, FlightEndpoint.ticket, Ticket.ticket, Any.value, TicketStatementQuery.statement_handle.
const HANDLE_IN_FLIGHT_INFO = [3, 1, 1, 2, 1] as const;

const LENGTH_DELIMITED = 2;
const FIXED64 = 1;
const FIXED32 = 5;
const VARINT = 0;

/**
 * The handle in the first ticket of an encoded FlightInfo, when it is one of this worker; undefined for anything else. Looks only at what
 * lies on the way: a FlightInfo can hold the schema of thousands of columns.
 */
export function handleInFlightInfo(flightInfo: Buffer, workerId: string): Buffer | undefined {
  let bytes: Buffer | undefined = flightInfo;
  for (const field of HANDLE_IN_FLIGHT_INFO) {
    bytes = bytes === undefined ? undefined : fieldIn(bytes, field);
  }
  return bytes !== undefined && workerIdOfHandle(bytes) === workerId ? bytes : undefined;
}

/** The first length-delimited field with this number; undefined when there is none or the bytes are no message. */
function fieldIn(bytes: Buffer, number: number): Buffer | undefined {
  let at = 0;
  while (at < bytes.length) {
    const tag = varint(bytes, at);
    at = tag.end;
    if (tag.value % 8 === LENGTH_DELIMITED) {
      const length = varint(bytes, at);
      const end = length.end + length.value;
      if (!(end <= bytes.length)) {
        return undefined;
      }
      if (Math.floor(tag.value / 8) === number) {
        return bytes.subarray(length.end, end);
      }
      at = end;
    } else {
      at = skipped(bytes, at, tag.value % 8);
    }
  }
  return undefined;
}

/** Behind a number; NaN, which ends every search, where none can be. */
function skipped(bytes: Buffer, at: number, wireType: number): number {
  switch (wireType) {
    case VARINT:
      return varint(bytes, at).end;
    case FIXED64:
      return at + 8;
    case FIXED32:
      return at + 4;
    default:
      return Number.NaN;
  }
}

function varint(bytes: Buffer, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  let factor = 1;
  for (let at = start; at < bytes.length && at < start + 10; at += 1) {
    const byte = bytes[at] as number;
    value += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte < 0x80) {
      return { value, end: at + 1 };
    }
  }
  return { value: Number.NaN, end: Number.NaN };
}
