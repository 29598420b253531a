import {
  FRAME_BUFFER_STEP_BYTES,
  FRAME_POOL_MAX_BUFFER_BYTES,
  FRAME_POOL_MAX_BYTES,
  FRAME_POOL_MIN_BUFFER_BYTES,
} from './engine-limits.ts';

/** Memory for frames, reused once the socket has taken it: allocating 1.5 MB per batch costs a seventh of the CPU in page faults and GC. */
export class FrameBuffers {
  readonly #idle: ArrayBuffer[] = [];
  #idleBytes = 0;

  /** The memory used last, which is likely to fit what its result needs next. */
  take(): ArrayBuffer | undefined {
    const memory = this.#idle.pop();
    this.#idleBytes -= memory?.byteLength ?? 0;
    return memory;
  }

  give(memory: ArrayBuffer): void {
    if (memory.byteLength < FRAME_POOL_MIN_BUFFER_BYTES || memory.byteLength > FRAME_POOL_MAX_BUFFER_BYTES) {
      return;
    }
    if (this.#idleBytes + memory.byteLength > FRAME_POOL_MAX_BYTES) {
      return;
    }
    this.#idle.push(memory);
    this.#idleBytes += memory.byteLength;
  }
}

/** The given memory where a frame of this many bytes may use it, or new one. It holds leftovers: every byte that is sent gets written. */
export function frameMemory(given: ArrayBuffer[], bytes: number): Buffer {
  const index = given.findIndex(({ byteLength }) => byteLength >= bytes && byteLength <= bytes * 4 + FRAME_BUFFER_STEP_BYTES);
  const [found] = index < 0 ? [] : given.splice(index, 1);
  if (found) {
    return Buffer.from(found);
  }
  // Small results may be kept until they are fetched, so they take no more than they need.
  const isLarge = bytes >= FRAME_BUFFER_STEP_BYTES;
  return Buffer.allocUnsafeSlow(isLarge ? Math.ceil(bytes / FRAME_BUFFER_STEP_BYTES) * FRAME_BUFFER_STEP_BYTES : bytes);
}
