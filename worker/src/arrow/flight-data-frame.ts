import { aligned, IPC_ALIGNMENT } from './record-batch-message.ts';

// Flight.proto: FlightData.data_header = 2, FlightData.data_body = 1000, both length-delimited.
const HEADER_TAG = [0x12] as const;
const BODY_TAG = [0xc2, 0x3e] as const;
const GRPC_PREFIX_BYTES = 5;

/** Where a frame's parts lie in its memory. The body starts 8-aligned, so typed arrays can be laid over it. */
export interface FramePlan {
  readonly headerBytes: number;
  readonly frameStart: number;
  readonly bodyStart: number;
  readonly end: number;
}

/** Lays out one gRPC message holding a FlightData with this header and a body of `bodyBytes`. */
export function planFrame(header: Uint8Array, bodyBytes: number): FramePlan {
  const headerBytes = aligned(header.length);
  const before = GRPC_PREFIX_BYTES + HEADER_TAG.length + varintBytes(headerBytes) + headerBytes + BODY_TAG.length + varintBytes(bodyBytes);
  const bodyStart = aligned(before);
  return { headerBytes, frameStart: bodyStart - before, bodyStart, end: bodyStart + bodyBytes };
}

/** Writes everything before the body and answers the frame; the caller fills the body. */
export function openFrame(memory: Buffer, plan: FramePlan, header: Uint8Array): Buffer {
  let at = plan.frameStart;
  memory[at++] = 0;
  at = memory.writeUInt32BE(plan.end - plan.frameStart - GRPC_PREFIX_BYTES, at);
  for (const byte of HEADER_TAG) {
    memory[at++] = byte;
  }
  at = writeVarint(memory, at, plan.headerBytes);
  memory.set(header, at);
  memory.fill(0, at + header.length, at + plan.headerBytes);
  at += plan.headerBytes;
  for (const byte of BODY_TAG) {
    memory[at++] = byte;
  }
  writeVarint(memory, at, plan.end - plan.bodyStart);
  return memory.subarray(plan.frameStart, plan.end);
}

/** A frame whose body is at hand. */
export function flightDataFrame(header: Uint8Array, body: Uint8Array): Buffer {
  const plan = planFrame(header, body.length);
  const frame = openFrame(Buffer.alloc(plan.end + IPC_ALIGNMENT), plan, header);
  frame.set(body, plan.bodyStart - plan.frameStart);
  return frame;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 127; rest >>>= 7) {
    bytes++;
  }
  return bytes;
}

function writeVarint(memory: Buffer, at: number, value: number): number {
  let rest = value;
  let next = at;
  for (; rest > 127; rest >>>= 7) {
    memory[next++] = (rest & 127) | 128;
  }
  memory[next++] = rest;
  return next;
}
