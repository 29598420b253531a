import { FLIGHT_DATA_MAX_BYTES, REQUEST_MAX_BYTES, STRUCTURE_MAX_BYTES } from './limits.ts';
import { loadMessages } from './message-codec.ts';
import { StatusError } from './status-error.ts';

/** Every Flight RPC's `:path` starts with this. */
export const FLIGHT_SERVICE_PATH = '/arrow.flight.protocol.FlightService/';

export interface FlightDescriptor {
  /** A number is a type this version does not know. */
  readonly type: 'UNKNOWN' | 'PATH' | 'CMD' | number;
  readonly cmd: Buffer;
  readonly path: readonly string[];
}

export interface Ticket {
  readonly ticket: Buffer;
}

export interface FlightEndpoint {
  readonly ticket: Ticket;
  /** Empty: redeem the ticket where the FlightInfo came from. */
  readonly location: readonly { readonly uri: string }[];
  readonly expirationTime?: Date | undefined;
  readonly appMetadata?: Buffer | undefined;
}

export interface FlightInfo {
  /** Encapsulated IPC schema message. */
  readonly schema: Buffer;
  readonly flightDescriptor?: FlightDescriptor | undefined;
  readonly endpoint: readonly FlightEndpoint[];
  /** -1 when not known, like `totalBytes`. Counts are numbers: exact up to 2^53. */
  readonly totalRecords: number;
  readonly totalBytes: number;
  readonly ordered?: boolean | undefined;
  readonly appMetadata?: Buffer | undefined;
}

export interface PollInfo {
  readonly info?: FlightInfo | undefined;
  /** Absent once the query has ended. */
  readonly flightDescriptor?: FlightDescriptor | undefined;
  /** 0 to 1. */
  readonly progress?: number | undefined;
  readonly expirationTime?: Date | undefined;
}

export interface SchemaResult {
  readonly schema: Buffer;
}

export interface Action {
  readonly type: string;
  readonly body: Buffer;
}

export interface ActionType {
  readonly type: string;
  readonly description: string;
}

export interface Result {
  readonly body: Buffer;
}

export interface PutResult {
  readonly appMetadata: Buffer;
}

export interface Criteria {
  readonly expression: Buffer;
}

/** One message of an upload or a result, taken apart without copying. */
export interface FlightDataHead {
  /** In the first message of an upload. */
  readonly descriptor?: FlightDescriptor | undefined;
  /** A flatbuffer Message. */
  readonly dataHeader: Buffer;
  readonly appMetadata: Buffer;
  readonly dataBody: Buffer;
}

export type CancelStatus = 'unspecified' | 'cancelled' | 'cancelling' | 'not_cancellable';

interface WireTimestamp {
  readonly seconds: string;
  readonly nanos: number;
}

interface WireEndpoint extends Omit<FlightEndpoint, 'ticket' | 'expirationTime'> {
  readonly ticket: Ticket | null;
  readonly expirationTime: WireTimestamp | null;
}

interface WireFlightInfo extends Omit<FlightInfo, 'flightDescriptor' | 'endpoint' | 'totalRecords' | 'totalBytes'> {
  readonly flightDescriptor: FlightDescriptor | null;
  readonly endpoint: readonly WireEndpoint[];
  readonly totalRecords: string;
  readonly totalBytes: string;
}

interface WirePollInfo extends Pick<PollInfo, 'progress'> {
  readonly info: WireFlightInfo | null;
  readonly flightDescriptor: FlightDescriptor | null;
  readonly expirationTime: WireTimestamp | null;
}

interface WireFlightData extends Omit<FlightDataHead, 'descriptor'> {
  readonly flightDescriptor: FlightDescriptor | null;
}

const flight = loadMessages('Flight.proto');
const codecOf = <Wire extends object>(name: string, maxBytes: number) => flight<Wire>(`arrow.flight.protocol.${name}`, maxBytes);

const descriptorCodec = codecOf<FlightDescriptor>('FlightDescriptor', REQUEST_MAX_BYTES);
export const encodeFlightDescriptor = descriptorCodec.encode;
export const decodeFlightDescriptor = descriptorCodec.decode;

const ticketCodec = codecOf<Ticket>('Ticket', REQUEST_MAX_BYTES);
export const encodeTicket = ticketCodec.encode;
export const decodeTicket = ticketCodec.decode;

const actionCodec = codecOf<Action>('Action', REQUEST_MAX_BYTES);
export const encodeAction = actionCodec.encode;
export const decodeAction = actionCodec.decode;

const actionTypeCodec = codecOf<ActionType>('ActionType', STRUCTURE_MAX_BYTES);
export const encodeActionType = actionTypeCodec.encode;
export const decodeActionType = actionTypeCodec.decode;

const resultCodec = codecOf<Result>('Result', REQUEST_MAX_BYTES);
export const encodeResult = resultCodec.encode;
export const decodeResult = resultCodec.decode;

const putResultCodec = codecOf<PutResult>('PutResult', REQUEST_MAX_BYTES);
export const encodePutResult = putResultCodec.encode;
export const decodePutResult = putResultCodec.decode;

const schemaResultCodec = codecOf<SchemaResult>('SchemaResult', REQUEST_MAX_BYTES);
export const encodeSchemaResult = schemaResultCodec.encode;
export const decodeSchemaResult = schemaResultCodec.decode;

const criteriaCodec = codecOf<Criteria>('Criteria', STRUCTURE_MAX_BYTES);
export const encodeCriteria = criteriaCodec.encode;
export const decodeCriteria = criteriaCodec.decode;

const flightInfoCodec = codecOf<WireFlightInfo>('FlightInfo', REQUEST_MAX_BYTES);

export function encodeFlightInfo(info: FlightInfo): Buffer {
  return flightInfoCodec.encode(wireOfFlightInfo(info));
}

export function decodeFlightInfo(bytes: Uint8Array): FlightInfo {
  return flightInfoOfWire(flightInfoCodec.decode(bytes));
}

const pollInfoCodec = codecOf<WirePollInfo>('PollInfo', REQUEST_MAX_BYTES);

export function encodePollInfo(poll: PollInfo): Buffer {
  return pollInfoCodec.encode({
    info: poll.info === undefined ? null : wireOfFlightInfo(poll.info),
    flightDescriptor: poll.flightDescriptor ?? null,
    progress: poll.progress,
    expirationTime: wireOfDate(poll.expirationTime),
  });
}

export function decodePollInfo(bytes: Uint8Array): PollInfo {
  const wire = pollInfoCodec.decode(bytes);
  return {
    info: wire.info === null ? undefined : flightInfoOfWire(wire.info),
    flightDescriptor: wire.flightDescriptor ?? undefined,
    progress: wire.progress,
    expirationTime: dateOfWire(wire.expirationTime),
  };
}

const flightDataCodec = codecOf<WireFlightData>('FlightData', FLIGHT_DATA_MAX_BYTES);

export function encodeFlightData(head: FlightDataHead): Buffer {
  const { descriptor, ...rest } = head;
  return flightDataCodec.encode({ ...rest, flightDescriptor: descriptor ?? null });
}

export function decodeFlightData(bytes: Uint8Array): FlightDataHead {
  const { flightDescriptor, ...rest } = flightDataCodec.decode(bytes);
  return { ...rest, descriptor: flightDescriptor ?? undefined };
}

const cancelRequestCodec = codecOf<{ readonly info: WireFlightInfo | null }>('CancelFlightInfoRequest', STRUCTURE_MAX_BYTES);

export function encodeCancelFlightInfoRequest(info: FlightInfo): Buffer {
  return cancelRequestCodec.encode({ info: wireOfFlightInfo(info) });
}

export function decodeCancelFlightInfoRequest(bytes: Uint8Array): FlightInfo {
  const { info } = cancelRequestCodec.decode(bytes);
  if (info === null) {
    throw new StatusError('invalid_argument', 'CancelFlightInfo needs the FlightInfo of the statement to cancel');
  }
  return flightInfoOfWire(info);
}

const cancelResultCodec = codecOf<{ readonly status: string | number }>('CancelFlightInfoResult', STRUCTURE_MAX_BYTES);
const CANCEL_STATUS_PREFIX = 'CANCEL_STATUS_';
const CANCEL_STATUSES: readonly CancelStatus[] = ['unspecified', 'cancelled', 'cancelling', 'not_cancellable'];

export function encodeCancelFlightInfoResult(status: CancelStatus): Buffer {
  return cancelResultCodec.encode({ status: `${CANCEL_STATUS_PREFIX}${status.toUpperCase()}` });
}

export function decodeCancelFlightInfoResult(bytes: Uint8Array): CancelStatus {
  const { status } = cancelResultCodec.decode(bytes);
  return CANCEL_STATUSES.find((known) => status === `${CANCEL_STATUS_PREFIX}${known.toUpperCase()}`) ?? 'unspecified';
}

const renewRequestCodec = codecOf<{ readonly endpoint: WireEndpoint | null }>('RenewFlightEndpointRequest', STRUCTURE_MAX_BYTES);

export function encodeRenewFlightEndpointRequest(endpoint: FlightEndpoint): Buffer {
  return renewRequestCodec.encode({ endpoint: wireOfEndpoint(endpoint) });
}

export function decodeRenewFlightEndpointRequest(bytes: Uint8Array): FlightEndpoint {
  const { endpoint } = renewRequestCodec.decode(bytes);
  if (endpoint === null) {
    throw new StatusError('invalid_argument', 'RenewFlightEndpoint needs the endpoint to renew');
  }
  return endpointOfWire(endpoint);
}

const endpointCodec = codecOf<WireEndpoint>('FlightEndpoint', STRUCTURE_MAX_BYTES);

/** The answer of RenewFlightEndpoint. */
export function encodeFlightEndpoint(endpoint: FlightEndpoint): Buffer {
  return endpointCodec.encode(wireOfEndpoint(endpoint));
}

export function decodeFlightEndpoint(bytes: Uint8Array): FlightEndpoint {
  return endpointOfWire(endpointCodec.decode(bytes));
}

function wireOfFlightInfo(info: FlightInfo): WireFlightInfo {
  return {
    ...info,
    flightDescriptor: info.flightDescriptor ?? null,
    endpoint: info.endpoint.map(wireOfEndpoint),
    totalRecords: String(info.totalRecords),
    totalBytes: String(info.totalBytes),
  };
}

function flightInfoOfWire(wire: WireFlightInfo): FlightInfo {
  return {
    ...wire,
    flightDescriptor: wire.flightDescriptor ?? undefined,
    endpoint: wire.endpoint.map(endpointOfWire),
    totalRecords: Number(wire.totalRecords),
    totalBytes: Number(wire.totalBytes),
  };
}

function wireOfEndpoint(endpoint: FlightEndpoint): WireEndpoint {
  return { ...endpoint, expirationTime: wireOfDate(endpoint.expirationTime) };
}

function endpointOfWire(wire: WireEndpoint): FlightEndpoint {
  return { ...wire, ticket: wire.ticket ?? { ticket: Buffer.alloc(0) }, expirationTime: dateOfWire(wire.expirationTime) };
}

function wireOfDate(date: Date | undefined): WireTimestamp | null {
  if (date === undefined) {
    return null;
  }
  const seconds = Math.floor(date.getTime() / 1000);
  return { seconds: String(seconds), nanos: (date.getTime() - seconds * 1000) * 1_000_000 };
}

function dateOfWire(wire: WireTimestamp | null): Date | undefined {
  if (wire === null) {
    return undefined;
  }
  const date = new Date(Number(wire.seconds) * 1000 + Math.floor(wire.nanos / 1_000_000));
  if (Number.isNaN(date.getTime())) {
    throw new StatusError('invalid_argument', 'a timestamp is out of range');
  }
  return date;
}
