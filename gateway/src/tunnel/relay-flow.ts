import type { Readable, Writable } from 'node:stream';

export interface FlowOptions {
  readonly coalesceBytes: number;
  /** Sees every chunk before it is written; answering false keeps the chunk from being written. */
  readonly pass: (chunk: Buffer) => boolean;
  /** The source has ended and all of it has been written. */
  readonly ended: () => void;
}

/**
 * Moves bytes from source to sink, untouched. What arrives within one turn of the event loop leaves in one write (corked, not copied
 * together), and a sink that is full pauses the source: no more is buffered than one write and the source's own window.
 */
export function flow(source: Readable, sink: Writable, options: FlowOptions): void {
  let corkedBytes = 0;
  let corked = false;

  const flush = (): void => {
    if (!corked) {
      return;
    }
    corked = false;
    corkedBytes = 0;
    sink.uncork();
    if (sink.writableNeedDrain) {
      source.pause();
    }
  };
  source.on('data', (chunk: Buffer) => {
    if (!options.pass(chunk) || sink.destroyed || sink.writableEnded) {
      return;
    }
    if (!corked) {
      corked = true;
      sink.cork();
      setImmediate(flush);
    }
    sink.write(chunk);
    corkedBytes += chunk.length;
    if (corkedBytes >= options.coalesceBytes) {
      flush();
    }
  });
  source.on('end', () => {
    flush();
    options.ended();
  });
  sink.on('drain', () => {
    source.resume();
  });
  source.resume();
}
