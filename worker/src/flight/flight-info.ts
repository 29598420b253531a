import type { FlightDescriptor, FlightInfo } from '@jetbridge/proto/flight';
import { encodeCommand } from '@jetbridge/proto/flight-sql';
import type { Schema } from 'apache-arrow';
import { schemaMessage } from '../arrow/schema-message.ts';

export interface Described {
  readonly schema: Schema;
  /** The sealed handle of the ticket. */
  readonly handle: Buffer;
  readonly descriptor: FlightDescriptor;
  readonly totalRecords?: number | undefined;
  readonly totalBytes?: number | undefined;
}

/** One endpoint without a location: redeemed where the answer came from, by clients that read only the first endpoint too. */
export function flightInfoOf({ schema, handle, descriptor, totalRecords, totalBytes }: Described): FlightInfo {
  return {
    schema: schemaMessage(schema),
    flightDescriptor: descriptor,
    endpoint: [{ ticket: { ticket: encodeCommand({ kind: 'ticket_statement_query', handle }) }, location: [] }],
    totalRecords: totalRecords ?? -1,
    totalBytes: totalBytes ?? -1,
  };
}
