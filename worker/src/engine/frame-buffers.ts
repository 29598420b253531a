import { FRAME_BUFFER_STEP_BYTES, FRAME_POOL_MAX_BUFFER_BYTES, FRAME_POOL_MAX_BYTES } from './engine-limits.ts';

/** Memory for frames, reused once the socket has taken it: allocating 1.5 MB per batch costs a seventh of the CPU in page faults and GC. */
export class FrameBuffers {
  readonly #idle: Buffer[] = [];
  #idleBytes = 0;

  /** Memory of at least this size. It holds leftovers of earlier frames: whoever takes it writes every byte that is sent. */
  take(bytes: number): Buffer {
    const index = this.#idle.findIndex((buffer) => buffer.length >= bytes && buffer.length <= bytes * 4 + FRAME_BUFFER_STEP_BYTES);
    const [found] = index < 0 ? [] : this.#idle.splice(index, 1);
    if (found) {
      this.#idleBytes -= found.length;
      return found;
    }
    return Buffer.allocUnsafeSlow(Math.ceil(bytes / FRAME_BUFFER_STEP_BYTES) * FRAME_BUFFER_STEP_BYTES);
  }

  give(buffer: Buffer): void {
    if (buffer.length > FRAME_POOL_MAX_BUFFER_BYTES || this.#idleBytes + buffer.length > FRAME_POOL_MAX_BYTES) {
      return;
    }
    this.#idle.push(buffer);
    this.#idleBytes += buffer.length;
  }
}
