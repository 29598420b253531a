import { GRPC_MESSAGE_MAX_BYTES } from './limits.ts';
import type { StatusCode, StatusError } from './status-error.ts';

// Numbers: gRPC core status codes.
const GRPC_NUMBERS = {
  cancelled: 1,
  unknown: 2,
  invalid_argument: 3,
  deadline_exceeded: 4,
  not_found: 5,
  already_exists: 6,
  permission_denied: 7,
  resource_exhausted: 8,
  failed_precondition: 9,
  aborted: 10,
  out_of_range: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  data_loss: 15,
  unauthenticated: 16,
} as const satisfies Record<StatusCode, number>;

const CODES_BY_NUMBER: ReadonlyMap<number, StatusCode> = new Map(
  Object.entries(GRPC_NUMBERS).map(([code, number]) => [number, code as StatusCode]),
);

export function grpcStatusOf(code: StatusCode): number {
  return GRPC_NUMBERS[code];
}

/** Any number gRPC does not define reads as `unknown`; 0 (OK) is no failure and must not be asked for. */
export function statusCodeOfGrpc(status: number): StatusCode {
  return CODES_BY_NUMBER.get(status) ?? 'unknown';
}

/** Percent-encodes every byte outside printable ASCII, and `%` (gRPC over HTTP/2, "Status-Message"). */
export function encodeGrpcMessage(message: string): string {
  let encoded = '';
  for (const byte of Buffer.from(message, 'utf8')) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** Never fails: the specification asks receivers to keep what they cannot decode. */
export function decodeGrpcMessage(encoded: string): string {
  const bytes: number[] = [];
  const source = Buffer.from(encoded, 'utf8');
  for (let at = 0; at < source.length; at += 1) {
    const byte = source[at] as number;
    const digits = byte === 0x25 ? source.toString('latin1', at + 1, at + 3) : '';
    if (/^[0-9a-fA-F]{2}$/.test(digits)) {
      bytes.push(Number.parseInt(digits, 16));
      at += 2;
    } else {
      bytes.push(byte);
    }
  }
  return Buffer.from(bytes).toString('utf8');
}

export interface StatusTrailers {
  readonly 'grpc-status': string;
  readonly 'grpc-message'?: string;
}

/** Trailers for a failed call; a message too long for a header block is cut. */
export function statusTrailers(error: StatusError): StatusTrailers {
  const status = String(grpcStatusOf(error.code));
  if (error.message === '') {
    return { 'grpc-status': status };
  }
  return { 'grpc-status': status, 'grpc-message': encodeGrpcMessage(shortened(error.message)) };
}

function shortened(message: string): string {
  const bytes = Buffer.from(message, 'utf8');
  if (bytes.length <= GRPC_MESSAGE_MAX_BYTES) {
    return message;
  }
  let end = GRPC_MESSAGE_MAX_BYTES;
  // 10xxxxxx continues a character: cut before the one that begins it.
  while (((bytes[end] as number) & 0xc0) === 0x80) {
    end -= 1;
  }
  return `${bytes.toString('utf8', 0, end)}…`;
}
