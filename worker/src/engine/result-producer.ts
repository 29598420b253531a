import { BatchEncoder, type EncodedFrame, type EncodeTools, type Piece, type TakeMemory } from './batch-encoder.ts';
import type { EncodeColumn, JobOutcome, ResultEnding, ResultLeft } from './encode-messages.ts';
import { BATCH_DELAY_MS, BATCH_MAX_ROWS, BATCH_TARGET_BYTES } from './engine-limits.ts';
import type { Address, ResultWords } from './libduckdb.ts';
import { NativeHandle } from './native-memory.ts';
import { type OpenChunk, ResultChunks } from './result-chunks.ts';
import { memoryOf } from './result-memory.ts';

interface WaitingChunk extends OpenChunk {
  readonly bytesPerRow: number;
  sent: number;
}

/** Where a job's frames go, and what they may take. */
export interface FrameOutlet {
  nowMs(): number;
  /** Told before each chunk is fetched: DuckDB may compute for long. */
  fetching(): void;
  takeMemory: TakeMemory;
  /** Takes a frame and answers whether one more is wanted. With the last frame comes how the job ends. */
  frame(frame: EncodedFrame, end: JobOutcome | undefined): boolean;
}

/** Fetches a result's rows and encodes them until they end or nobody wants more. */
export class ResultProducer {
  readonly #tools: EncodeTools;
  readonly #result: Uint8Array<ArrayBuffer>;
  readonly #words: ResultWords;
  readonly #opener: ResultChunks;
  readonly #encoder: BatchEncoder;
  readonly #outlet: FrameOutlet;
  readonly #chunks: WaitingChunk[] = [];
  readonly #handle = new NativeHandle();
  #oldestMs = 0;
  #ending: ResultEnding | undefined;

  constructor(tools: EncodeTools, columns: readonly EncodeColumn[], words: ResultWords, outlet: FrameOutlet) {
    this.#tools = tools;
    this.#words = words;
    this.#result = memoryOf(words);
    this.#outlet = outlet;
    this.#opener = new ResultChunks(tools, columns, this.#result);
    this.#encoder = new BatchEncoder(
      tools,
      columns.map((column) => column.layout),
      outlet.takeMemory,
    );
  }

  /** Answers how it ended, or undefined when the last frame has told. Destroys the chunks of a result that ended or failed. */
  run(left: ResultLeft): JobOutcome | undefined {
    try {
      return this.#run(left);
    } catch (error) {
      this.#drop();
      throw error;
    } finally {
      this.#opener.close();
    }
  }

  #run(left: ResultLeft): JobOutcome | undefined {
    // Every chunk is this job's from here on, whatever happens to one of them.
    this.#ending = left.ending;
    const known = left.chunks.map(({ chunk, sent }) => ({
      address: chunk,
      rows: 0,
      columns: [],
      exported: undefined,
      bytesPerRow: 0,
      sent,
    }));
    this.#chunks.push(...known);
    known.forEach(({ address, sent }, i) => {
      this.#chunks[i] = this.#open(address, sent);
    });
    for (;;) {
      while (!this.#ending && !this.#enough()) {
        this.#pull();
      }
      if (this.#chunks.length === 0) {
        return this.#end();
      }
      const frame = this.#encode();
      if (this.#ending && this.#chunks.length === 0) {
        this.#outlet.frame(frame, this.#end());
        return undefined;
      }
      if (!this.#outlet.frame(frame, undefined)) {
        return { kind: 'paused', left: this.#pause() };
      }
    }
  }

  /** Rows that came before a failure are sent; it comes after them. */
  #end(): JobOutcome {
    if (this.#ending?.failure !== undefined) {
      return { kind: 'failed', message: this.#ending.failure };
    }
    this.#tools.lib.destroyResult(this.#result);
    return { kind: 'ended' };
  }

  #pull(): void {
    const { lib } = this.#tools;
    this.#outlet.fetching();
    const address = lib.fetchChunk(this.#words);
    if (address !== 0 && lib.chunkSize(address) > 0) {
      if (this.#chunks.length === 0) {
        this.#oldestMs = this.#outlet.nowMs();
      }
      this.#chunks.push({ address, rows: 0, columns: [], exported: undefined, bytesPerRow: 0, sent: 0 });
      this.#chunks[this.#chunks.length - 1] = this.#open(address, 0);
      return;
    }
    this.#destroyChunk(address);
    // An empty chunk is how DuckDB reports both the end and a failure.
    this.#ending = { failure: lib.resultError(this.#result) ?? undefined };
  }

  #open(address: number, sent: number): WaitingChunk {
    const chunk = this.#opener.open(address);
    const bytes = this.#encoder.bodyBytes([{ columns: chunk.columns, from: 0, to: chunk.rows }]);
    return { ...chunk, bytesPerRow: bytes / chunk.rows, sent };
  }

  #enough(): boolean {
    let [rows, bytes] = [0, 0];
    for (const chunk of this.#chunks) {
      rows += chunk.rows - chunk.sent;
      bytes += (chunk.rows - chunk.sent) * chunk.bytesPerRow;
    }
    if (rows >= BATCH_MAX_ROWS || bytes >= BATCH_TARGET_BYTES) {
      return true;
    }
    return rows > 0 && this.#outlet.nowMs() - this.#oldestMs > BATCH_DELAY_MS;
  }

  #encode(): EncodedFrame {
    for (let limit = BATCH_MAX_ROWS; ; ) {
      const pieces = this.#pieces(limit);
      const frame = this.#encoder.encode(pieces);
      if (frame) {
        this.#consume(frame.rows);
        return frame;
      }
      limit = Math.ceil(pieces.reduce((sum, piece) => sum + piece.to - piece.from, 0) / 2);
    }
  }

  #pieces(limit: number): Piece[] {
    const pieces: Piece[] = [];
    let left = limit;
    for (const chunk of this.#chunks) {
      const to = Math.min(chunk.rows, chunk.sent + left);
      if (to > chunk.sent) {
        pieces.push({ columns: chunk.columns, from: chunk.sent, to });
      }
      left -= to - chunk.sent;
    }
    return pieces;
  }

  #consume(rows: number): void {
    let left = rows;
    for (const chunk of this.#chunks) {
      const taken = Math.min(left, chunk.rows - chunk.sent);
      chunk.sent += taken;
      left -= taken;
    }
    while (this.#chunks[0] && this.#chunks[0].sent === this.#chunks[0].rows) {
      this.#destroy(this.#chunks.shift() as WaitingChunk);
    }
  }

  #pause(): ResultLeft {
    const chunks = this.#chunks.splice(0).map((chunk) => {
      this.#opener.release(chunk);
      return { chunk: chunk.address, sent: chunk.sent };
    });
    return { chunks, ending: this.#ending };
  }

  #drop(): void {
    for (const chunk of this.#chunks.splice(0)) {
      this.#destroy(chunk);
    }
  }

  #destroy(chunk: OpenChunk): void {
    this.#opener.release(chunk);
    this.#destroyChunk(chunk.address);
  }

  #destroyChunk(address: Address): void {
    if (address !== 0) {
      this.#handle.holder[0] = BigInt(address);
      this.#tools.lib.destroyChunk(this.#handle.holder);
    }
  }
}
