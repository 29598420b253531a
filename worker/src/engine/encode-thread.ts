import { type MessagePort, parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { toStatusError } from '@jetbridge/proto/status-error';
import { type EncodedFrame, EncodeTools } from './batch-encoder.ts';
import type { EncodeJob, Executed, FromThread, JobOutcome, JobSource, MovedFrame, ResultLeft, ToThread } from './encode-messages.ts';
import { EXECUTED_EARLY_MS } from './engine-limits.ts';
import { frameMemory } from './frame-buffers.ts';
import { loadLibDuckDb } from './libduckdb.ts';
import { NativeReader, nativeHandle } from './native-memory.ts';
import { resultMemory, wordsOf } from './result-memory.ts';
import { type FrameOutlet, ResultProducer } from './result-producer.ts';
import { shapeOf } from './schema-export.ts';

/** The entry of a thread that executes, fetches and encodes: one job after the other, each to its end. */

const FROM_THE_START: ResultLeft = { chunks: [], ending: undefined };

class JobRun implements FrameOutlet {
  readonly #tools: EncodeTools;
  readonly #port: MessagePort;
  readonly #job: EncodeJob;
  readonly #memory: ArrayBuffer[];
  #credits: number;
  #unreported: Executed | undefined;
  #executedMs = 0;

  constructor(tools: EncodeTools, port: MessagePort, job: EncodeJob) {
    this.#tools = tools;
    this.#port = port;
    this.#job = job;
    this.#memory = [...job.memory];
    this.#credits = job.credits;
  }

  run(): void {
    try {
      const outcome = this.#work();
      if (outcome) {
        this.#report({ outcome });
      }
    } catch (thrown) {
      const { code, message } = toStatusError(thrown);
      this.#report({ outcome: { kind: 'refused', code, message } });
    }
  }

  #work(): JobOutcome | undefined {
    const { source, columns } = this.#job;
    if (source.kind === 'result') {
      return new ResultProducer(this.#tools, columns, source.words, this).run(source.left);
    }
    const executed = this.#execute(source);
    this.#unreported = executed;
    this.#executedMs = this.nowMs();
    if (executed.kind === 'failed') {
      return { kind: 'ended' };
    }
    if (!executed.matches) {
      return { kind: 'paused', left: FROM_THE_START };
    }
    return new ResultProducer(this.#tools, columns, executed.words, this).run(FROM_THE_START);
  }

  #execute({ statement, streaming, shape }: JobSource & { readonly kind: 'statement' }): Executed {
    const { lib } = this.#tools;
    const memory = resultMemory();
    const failed = streaming ? lib.executeStreaming(statement, memory) : lib.executePrepared(statement, memory);
    if (failed) {
      const message = lib.resultError(memory);
      lib.destroyResult(memory);
      return { kind: 'failed', message };
    }
    return { kind: 'opened', words: wordsOf(memory), matches: shape !== undefined && this.#shapeOf(memory) === shape };
  }

  #shapeOf(memory: Uint8Array): string | undefined {
    const { lib, reader } = this.#tools;
    const options = nativeHandle(lib.resultArrowOptions(memory));
    const types = Array.from({ length: lib.resultColumnCount(memory) }, (_, i) => nativeHandle(lib.resultColumnLogicalType(memory, i)));
    try {
      const columns = types.map((type, i) => ({ name: lib.resultColumnName(memory, i), type: type.address }));
      return shapeOf(lib, reader, options.address, columns);
    } catch {
      // Whoever asked describes the result itself and meets the same failure there.
      return undefined;
    } finally {
      lib.destroyArrowOptions(options.holder);
      for (const type of types) {
        lib.destroyType(type.holder);
      }
    }
  }

  nowMs(): number {
    return performance.now();
  }

  fetching(): void {
    if (this.#unreported && this.nowMs() - this.#executedMs > EXECUTED_EARLY_MS) {
      this.#report({});
    }
  }

  takeMemory = (bytes: number): Buffer => frameMemory(this.#memory, bytes);

  frame({ memory, start, end, rows }: EncodedFrame, outcome: JobOutcome | undefined): boolean {
    this.#credits -= 1;
    this.#readCredits();
    const frame = { memory: memory.buffer as ArrayBuffer, start, end, rows };
    this.#report(outcome ? { frame, outcome } : { frame });
    return this.#credits > 0;
  }

  /** The engine posts credits while the job runs; nothing else can come before it is done. */
  #readCredits(): void {
    for (let read = receiveMessageOnPort(this.#port); read; read = receiveMessageOnPort(this.#port)) {
      const message = read.message as ToThread;
      if (message.kind === 'more' && message.id === this.#job.id) {
        this.#credits += 1;
        if (message.memory) {
          this.#memory.push(message.memory);
        }
      }
    }
  }

  #report(parts: { readonly frame?: MovedFrame; readonly outcome?: JobOutcome }): void {
    const executed = this.#unreported ? { executed: this.#unreported } : {};
    const unused = parts.outcome ? this.#memory.splice(0) : [];
    const message: FromThread = { id: this.#job.id, ...executed, ...parts, unused };
    this.#unreported = undefined;
    this.#port.postMessage(message, [...(parts.frame ? [parts.frame.memory] : []), ...unused]);
  }
}

/** Runs jobs until the thread is ended. */
function serve(port: MessagePort): void {
  const lib = loadLibDuckDb();
  const tools = new EncodeTools(lib, new NativeReader(lib));
  port.on('message', (message: ToThread) => {
    if (message.kind === 'job') {
      new JobRun(tools, port, message).run();
    }
  });
  port.postMessage({ id: 0 } satisfies FromThread);
}

if (parentPort) {
  serve(parentPort);
}
