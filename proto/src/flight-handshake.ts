import { STRUCTURE_MAX_BYTES } from './limits.ts';
import { loadMessages } from './message-codec.ts';

export interface HandshakeRequest {
  /** Decimal. */
  readonly protocolVersion: string;
  readonly payload: Buffer;
}

export type HandshakeResponse = HandshakeRequest;

/** What some clients put into a handshake's payload. */
export interface BasicAuth {
  readonly username: string;
  readonly password: string;
}

const flight = loadMessages('Flight.proto');
const codecOf = <Wire extends object>(name: string) => flight<Wire>(`arrow.flight.protocol.${name}`, STRUCTURE_MAX_BYTES);

const handshakeRequestCodec = codecOf<HandshakeRequest>('HandshakeRequest');
export const encodeHandshakeRequest = handshakeRequestCodec.encode;
export const decodeHandshakeRequest = handshakeRequestCodec.decode;

const handshakeResponseCodec = codecOf<HandshakeResponse>('HandshakeResponse');
export const encodeHandshakeResponse = handshakeResponseCodec.encode;
export const decodeHandshakeResponse = handshakeResponseCodec.decode;

const basicAuthCodec = codecOf<BasicAuth>('BasicAuth');
export const encodeBasicAuth = basicAuthCodec.encode;
export const decodeBasicAuth = basicAuthCodec.decode;
