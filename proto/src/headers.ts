/**
 * Metadata between gateway and worker. The gateway removes every header with this prefix that a client sent, and every trailer with it
 * before a client sees the answer, so a worker may believe what it reads here.
 */
const JETBRIDGE_HEADER_PREFIX = 'x-jetbridge-';

/** The caller's `prn_` id. */
export const PRINCIPAL_HEADER = 'x-jetbridge-principal';
/** The caller's name, percent-encoded (header values are ASCII). */
export const PRINCIPAL_NAME_HEADER = 'x-jetbridge-principal-name';
/** The caller's roles, comma separated. */
export const ROLES_HEADER = 'x-jetbridge-roles';
/** The `ses_` id of the caller's session. */
export const SESSION_HEADER = 'x-jetbridge-session';
/** The `gtw_` id of the gateway that relays the call. */
export const GATEWAY_HEADER = 'x-jetbridge-gateway';
/** The `stm_` id the gateway gave to the statement that this RPC starts. */
export const STATEMENT_HEADER = 'x-jetbridge-statement';
/** On GetFlightInfo: how many bytes of result the gateway takes behind the FlightInfo, for a DoGet that it then answers itself. */
export const CARRY_HEADER = 'x-jetbridge-carry';

/** Rows sent, in a worker's trailers. */
export const ROWS_TRAILER = 'x-jetbridge-rows';
/** Bytes of Arrow sent, in a worker's trailers. */
export const BYTES_TRAILER = 'x-jetbridge-bytes';
/** Microseconds the engine worked, in a worker's trailers. */
export const ENGINE_MICROS_TRAILER = 'x-jetbridge-engine-us';

/** Trailer of a GetFlightInfo that was asked to carry: `complete` when all messages of the result came behind the FlightInfo, or `none`. */
export const CARRIED_TRAILER = 'x-jetbridge-carried';
export const CARRIED_COMPLETE = 'complete';
export const CARRIED_NONE = 'none';

/** True for any header or trailer of ours, in whatever case it was written. */
export function isJetbridgeHeader(name: string): boolean {
  return name.slice(0, JETBRIDGE_HEADER_PREFIX.length).toLowerCase() === JETBRIDGE_HEADER_PREFIX;
}
