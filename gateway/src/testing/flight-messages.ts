import { encodeAction, encodeFlightInfo, encodeTicket, type FlightInfo } from '@jetbridge/proto/flight';
import { encodeCommand } from '@jetbridge/proto/flight-sql';
import { encodeFlightSqlAction, type FlightSqlAction } from '@jetbridge/proto/flight-sql-action';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { sealHandle } from '@jetbridge/proto/handle';

/** A handle that names this worker. */
export function handleOf(workerId: string): Buffer {
  return sealHandle(Buffer.alloc(32), workerId, Buffer.from('sealed'));
}

function ticketOf(handle: Buffer): Buffer {
  return encodeCommand({ kind: 'ticket_statement_query', handle });
}

/** A FlightInfo with one ticket. */
export function flightInfoOf(handle: Buffer, schema: Buffer = Buffer.from('schema')): FlightInfo {
  return { schema, endpoint: [{ ticket: { ticket: ticketOf(handle) }, location: [] }], totalRecords: -1, totalBytes: -1 };
}

export function flightInfoMessage(handle: Buffer, schema?: Buffer): Buffer {
  return encodeFlightInfo(flightInfoOf(handle, schema));
}

/** The request of a DoGet. */
export function doGetRequest(handle: Buffer): Buffer {
  return frameMessage(encodeTicket({ ticket: ticketOf(handle) }));
}

/** The request of a DoAction. */
export function actionRequest(action: FlightSqlAction): Buffer {
  return frameMessage(encodeAction(encodeFlightSqlAction(action)));
}
