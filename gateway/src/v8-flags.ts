import { setFlagsFromString } from 'node:v8';

/**
 * Every 16 KB that arrive are an ArrayBuffer that lives for a few milliseconds. V8 frees them in a thread that a busy machine lets wait, and
 * takes what has not been freed yet for memory in use: after 64 MB it marks its whole heap. A tenth of the CPU of a bulk transfer went there.
 * The setting is looked at again at every collection.
 */
export function freeBuffersAtOnce(): void {
  setFlagsFromString('--no-concurrent-array-buffer-sweeping');
}
