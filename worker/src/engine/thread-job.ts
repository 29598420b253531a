import type { Worker } from 'node:worker_threads';
import { StatusError } from '@jetbridge/proto/status-error';
import type { EncodeColumn, Executed, FromThread, JobOutcome, JobSource, MovedFrame, ToThread } from './encode-messages.ts';
import type { ResultFrame } from './engine.ts';
import type { FrameBuffers } from './frame-buffers.ts';

/** What a thread is to do. */
export interface JobOrder {
  readonly source: JobSource;
  readonly columns: readonly EncodeColumn[];
  /** Frames that may be made before the first is taken. */
  readonly credits: number;
  readonly onFrame: (frame: ResultFrame) => void;
}

/** A job of an encode thread, as the engine sees it. */
export class ThreadJob {
  readonly id: number;
  readonly #order: JobOrder;
  readonly #buffers: FrameBuffers;
  readonly #othersWait: () => boolean;
  readonly #executed = Promise.withResolvers<Executed>();
  readonly #done = Promise.withResolvers<JobOutcome>();
  #worker: Worker | undefined;

  constructor(id: number, order: JobOrder, buffers: FrameBuffers, othersWait: () => boolean) {
    this.id = id;
    this.#order = order;
    this.#buffers = buffers;
    this.#othersWait = othersWait;
    this.#executed.promise.catch(() => undefined);
  }

  /** What came of a statement; rejects when that never became known. */
  get executed(): Promise<Executed> {
    return this.#executed.promise;
  }

  /** Never rejects. */
  get done(): Promise<JobOutcome> {
    return this.#done.promise;
  }

  start(worker: Worker): void {
    this.#worker = worker;
    const { source, columns, credits } = this.#order;
    // A statement may answer one row: only what is known to be long gets memory on its way.
    const memory = source.kind === 'result' ? this.#usedMemory(credits) : [];
    this.#post({ kind: 'job', id: this.id, source, columns, credits, memory }, memory);
  }

  #usedMemory(buffersMax: number): ArrayBuffer[] {
    const memory: ArrayBuffer[] = [];
    for (let used = this.#buffers.take(); used; used = memory.length < buffersMax ? this.#buffers.take() : undefined) {
      memory.push(used);
    }
    return memory;
  }

  /** Lets a running job make one more frame. Not while others wait for a thread: it pauses then, and they get their turn. */
  more(): void {
    if (this.#worker && !this.#othersWait()) {
      const memory = this.#buffers.take();
      this.#post({ kind: 'more', id: this.id, memory }, memory ? [memory] : []);
    }
  }

  receive({ executed, frame, outcome, unused }: FromThread): void {
    if (executed) {
      this.#executed.resolve(executed);
    }
    if (frame) {
      this.#order.onFrame(this.#frame(frame));
    }
    for (const memory of unused ?? []) {
      this.#buffers.give(memory);
    }
    if (outcome) {
      this.#end(outcome);
    }
  }

  /** The thread is gone, or there will be none. */
  lost(): void {
    this.#end({ kind: 'refused', code: 'internal', message: 'The engine lost the thread that worked on this statement; run it again' });
  }

  #end(outcome: JobOutcome): void {
    this.#worker = undefined;
    if (outcome.kind === 'refused') {
      this.#executed.reject(new StatusError(outcome.code, outcome.message));
    }
    this.#done.resolve(outcome);
  }

  #post(message: ToThread, transfer: readonly ArrayBuffer[]): void {
    this.#worker?.postMessage(message, transfer);
  }

  #frame({ memory, start, end, rows }: MovedFrame): ResultFrame {
    let kept: ArrayBuffer | undefined = memory;
    return {
      bytes: Buffer.from(memory, start, end - start),
      rows,
      release: () => {
        const given = kept;
        kept = undefined;
        if (given) {
          this.#buffers.give(given);
        }
      },
    };
  }
}
