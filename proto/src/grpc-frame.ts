import { StatusError } from './status-error.ts';

// gRPC over HTTP/2, "Length-Prefixed-Message": compressed flag (1 byte), length (4 bytes, big endian), message.
const PREFIX_BYTES = 5;

/** One uncompressed length-prefixed message. Copies the payload once. */
export function frameMessage(payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + payload.length);
  frame[0] = 0;
  frame.writeUInt32BE(payload.length, 1);
  frame.set(payload, PREFIX_BYTES);
  return frame;
}

/** Cuts a byte stream into messages. Holds at most one incomplete message of at most `maxMessageBytes`. */
export class MessageSplitter {
  readonly #maxMessageBytes: number;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  #prefixFilled = 0;
  // Chunks of the incomplete message are joined once, when it is whole: memory follows what has arrived, not what the length promises.
  #parts: Buffer[] = [];
  #missing = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** True while part of a message has arrived: a stream that ends now was cut. */
  get midMessage(): boolean {
    return this.#prefixFilled > 0;
  }

  /** The messages this chunk completes, in order. They may share the chunk's memory. */
  push(chunk: Buffer): Buffer[] {
    const messages: Buffer[] = [];
    let at = 0;
    while (at < chunk.length) {
      at = this.#prefixFilled < PREFIX_BYTES ? this.#takePrefix(chunk, at) : this.#takeBody(chunk, at);
      if (this.#prefixFilled === PREFIX_BYTES && this.#missing === 0) {
        messages.push(this.#finish());
      }
    }
    return messages;
  }

  #takePrefix(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#prefix, this.#prefixFilled, at, at + PREFIX_BYTES - this.#prefixFilled);
    this.#prefixFilled += taken;
    if (this.#prefixFilled === PREFIX_BYTES) {
      this.#begin();
    }
    return at + taken;
  }

  #begin(): void {
    if (this.#prefix[0] !== 0) {
      throw new StatusError('unimplemented', 'compressed gRPC messages are not accepted; turn message compression off');
    }
    this.#missing = this.#prefix.readUInt32BE(1);
    if (this.#missing > this.#maxMessageBytes) {
      throw new StatusError('resource_exhausted', `a message of ${this.#missing} bytes exceeds the limit of ${this.#maxMessageBytes}`);
    }
  }

  #takeBody(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#missing);
    this.#parts.push(chunk.subarray(at, end));
    this.#missing -= end - at;
    return end;
  }

  #finish(): Buffer {
    const [first] = this.#parts;
    const message = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#prefixFilled = 0;
    return message;
  }
}

/** Follows message boundaries in bytes that pass by, without keeping them: tells whether a stream that ends now ends cleanly. */
export class MessageBoundary {
  #prefixFilled = 0;
  #length = 0;
  #missing = 0;

  get atBoundary(): boolean {
    return this.#prefixFilled === 0;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#prefixFilled < PREFIX_BYTES) {
        this.#takePrefixByte(chunk[at] as number);
        at += 1;
      } else {
        const taken = Math.min(chunk.length - at, this.#missing);
        this.#missing -= taken;
        at += taken;
      }
      if (this.#prefixFilled === PREFIX_BYTES && this.#missing === 0) {
        this.#prefixFilled = 0;
      }
    }
  }

  #takePrefixByte(byte: number): void {
    // Multiplied, not shifted: a length is an unsigned 32-bit number. The flag byte is no part of it.
    this.#length = this.#prefixFilled === 0 ? 0 : this.#length * 256 + byte;
    this.#prefixFilled += 1;
    this.#missing = this.#length;
  }
}
