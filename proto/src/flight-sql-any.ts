import { REQUEST_MAX_BYTES } from './limits.ts';
import { loadMessages } from './message-codec.ts';

/** The definitions of Flight SQL, and the `Any` its messages travel in. */
export const flightSqlMessages = loadMessages('FlightSql.proto');

export const FLIGHT_PACKAGE = 'arrow.flight.protocol.';
export const FLIGHT_SQL_PACKAGE = 'arrow.flight.protocol.sql.';

const TYPE_URL_PREFIX = 'type.googleapis.com/';
// Only the part behind the last slash names the type. The host must look like one: other messages begin with a string or bytes, too.
const TYPE_URL = /^[A-Za-z0-9._:/-]{0,200}\/([A-Za-z_][A-Za-z0-9_.]{0,200})$/;

/** A message with its full name. */
export interface NamedMessage {
  readonly name: string;
  readonly body: Buffer;
}

// protobufjs keeps these names as the bundled definition spells them.
const anyCodec = flightSqlMessages<{ readonly type_url: string; readonly value: Buffer }>('google.protobuf.Any', REQUEST_MAX_BYTES);

export function packAny(message: NamedMessage): Buffer {
  return anyCodec.encode({ type_url: TYPE_URL_PREFIX + message.name, value: message.body });
}

/** The named message, or undefined when the bytes could be an `Any` by their fields but hold no type URL; throws on other bytes. */
export function unpackAny(bytes: Uint8Array): NamedMessage | undefined {
  const { type_url: typeUrl, value } = anyCodec.decode(bytes);
  const name = TYPE_URL.exec(typeUrl)?.[1];
  return name === undefined ? undefined : { name, body: value };
}
