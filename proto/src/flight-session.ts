import { STRUCTURE_MAX_BYTES } from './limits.ts';
import { loadMessages } from './message-codec.ts';

/** The value of a session option; `unset` asks for the option's removal. 64-bit integers are bigint: they are values, not counts. */
export type SessionOptionValue =
  | { readonly kind: 'unset' }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int64'; readonly value: bigint }
  | { readonly kind: 'double'; readonly value: number }
  | { readonly kind: 'string_list'; readonly value: readonly string[] };

export type SessionOptions = ReadonlyMap<string, SessionOptionValue>;

export type SessionOptionError = 'invalid_name' | 'invalid_value' | 'error';

export type CloseSessionStatus = 'unspecified' | 'closed' | 'closing' | 'not_closeable';

interface WireValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly int64Value?: string;
  readonly doubleValue?: number;
  readonly stringListValue?: { readonly values: readonly string[] };
}

interface WireOptions {
  readonly sessionOptions: Readonly<Record<string, WireValue>>;
}

interface WireErrors {
  readonly errors: Readonly<Record<string, { readonly value: string | number }>>;
}

const flight = loadMessages('Flight.proto');
const codecOf = <Wire extends object>(name: string) => flight<Wire>(`arrow.flight.protocol.${name}`, STRUCTURE_MAX_BYTES);

const setRequestCodec = codecOf<WireOptions>('SetSessionOptionsRequest');

export function encodeSetSessionOptionsRequest(options: SessionOptions): Buffer {
  return setRequestCodec.encode(wireOfOptions(options));
}

export function decodeSetSessionOptionsRequest(bytes: Uint8Array): SessionOptions {
  return optionsOfWire(setRequestCodec.decode(bytes));
}

const setResultCodec = codecOf<WireErrors>('SetSessionOptionsResult');
const OPTION_ERRORS: readonly SessionOptionError[] = ['invalid_name', 'invalid_value', 'error'];

/** Names only the options that could not be set; the others were. */
export function encodeSetSessionOptionsResult(errors: ReadonlyMap<string, SessionOptionError>): Buffer {
  const entries = [...errors].map(([name, error]) => [name, { value: error.toUpperCase() }] as const);
  return setResultCodec.encode({ errors: Object.fromEntries(entries) });
}

export function decodeSetSessionOptionsResult(bytes: Uint8Array): ReadonlyMap<string, SessionOptionError> {
  const { errors } = setResultCodec.decode(bytes);
  return new Map(Object.entries(errors).map(([name, { value }]) => [name, errorOfWire(value)]));
}

function errorOfWire(value: string | number): SessionOptionError {
  return OPTION_ERRORS.find((known) => known.toUpperCase() === value) ?? 'error';
}

const getResultCodec = codecOf<WireOptions>('GetSessionOptionsResult');

export function encodeGetSessionOptionsResult(options: SessionOptions): Buffer {
  return getResultCodec.encode(wireOfOptions(options));
}

export function decodeGetSessionOptionsResult(bytes: Uint8Array): SessionOptions {
  return optionsOfWire(getResultCodec.decode(bytes));
}

const closeResultCodec = codecOf<{ readonly status: string | number }>('CloseSessionResult');
const CLOSE_STATUSES: readonly CloseSessionStatus[] = ['unspecified', 'closed', 'closing', 'not_closeable'];

export function encodeCloseSessionResult(status: CloseSessionStatus): Buffer {
  return closeResultCodec.encode({ status: status.toUpperCase() });
}

export function decodeCloseSessionResult(bytes: Uint8Array): CloseSessionStatus {
  const { status } = closeResultCodec.decode(bytes);
  return CLOSE_STATUSES.find((known) => known.toUpperCase() === status) ?? 'unspecified';
}

function wireOfOptions(options: SessionOptions): WireOptions {
  return { sessionOptions: Object.fromEntries([...options].map(([name, value]) => [name, wireOfValue(value)])) };
}

function optionsOfWire(wire: WireOptions): SessionOptions {
  return new Map(Object.entries(wire.sessionOptions).map(([name, value]) => [name, valueOfWire(value)]));
}

function wireOfValue(option: SessionOptionValue): WireValue {
  switch (option.kind) {
    case 'unset':
      return {};
    case 'string':
      return { stringValue: option.value };
    case 'bool':
      return { boolValue: option.value };
    case 'int64':
      return { int64Value: option.value.toString() };
    case 'double':
      return { doubleValue: option.value };
    case 'string_list':
      return { stringListValue: { values: option.value } };
  }
}

function valueOfWire(wire: WireValue): SessionOptionValue {
  if (wire.stringValue !== undefined) {
    return { kind: 'string', value: wire.stringValue };
  }
  if (wire.boolValue !== undefined) {
    return { kind: 'bool', value: wire.boolValue };
  }
  if (wire.int64Value !== undefined) {
    return { kind: 'int64', value: BigInt(wire.int64Value) };
  }
  if (wire.doubleValue !== undefined) {
    return { kind: 'double', value: wire.doubleValue };
  }
  if (wire.stringListValue !== undefined) {
    return { kind: 'string_list', value: wire.stringListValue.values };
  }
  return { kind: 'unset' };
}
