import { StatusError } from '@jetbridge/proto/status-error';
import { openFrame, planFrame } from '../arrow/flight-data-frame.ts';
import { BatchLayout } from '../arrow/record-batch-message.ts';
import type { NativeArray } from './arrow-c-array.ts';
import type { ColumnLayout } from './arrow-c-schema.ts';
import { ColumnPlanner } from './column-plan.ts';
import { ColumnWriter, FRAME_SLACK_BYTES, type WriterTools } from './column-writer.ts';
import { MESSAGE_MAX_BYTES, SINGLE_ROW_MAX_BYTES } from './engine-limits.ts';
import type { LibDuckDb } from './libduckdb.ts';
import type { NativeReader } from './native-memory.ts';
import { TextVectors } from './text-vectors.ts';
import { VectorValueWriter } from './vector-values.ts';

/** Rows of an exported chunk that wait to be sent. */
export interface Piece {
  readonly columns: readonly NativeArray[];
  readonly from: number;
  readonly to: number;
}

/** A whole gRPC message within memory of its own. */
export interface EncodedFrame {
  readonly memory: Buffer;
  readonly start: number;
  readonly end: number;
  readonly rows: number;
}

/** Memory of at least this size, with whatever is left in it: every byte that is sent gets written. */
export type TakeMemory = (bytes: number) => Buffer;

/** What encoding takes of a thread; nothing in it belongs to one result. */
export class EncodeTools {
  readonly lib: LibDuckDb;
  readonly reader: NativeReader;
  readonly texts: TextVectors;
  readonly values: VectorValueWriter;

  constructor(lib: LibDuckDb, reader: NativeReader) {
    this.lib = lib;
    this.reader = reader;
    this.texts = new TextVectors(lib);
    this.values = new VectorValueWriter(lib);
  }
}

/** Joins pieces into one record batch and copies it straight from the engine's memory into a frame. */
export class BatchEncoder {
  readonly #tools: WriterTools;
  readonly #layouts: readonly ColumnLayout[];
  readonly #takeMemory: TakeMemory;

  constructor(tools: EncodeTools, layouts: readonly ColumnLayout[], takeMemory: TakeMemory) {
    const { lib, reader, texts, values } = tools;
    this.#tools = { lib, reader, texts, values, planner: new ColumnPlanner(reader, texts) };
    this.#layouts = layouts;
    this.#takeMemory = takeMemory;
  }

  /** Bytes which these rows will take in a body. */
  bodyBytes(pieces: readonly Piece[]): number {
    return this.#plan(pieces).batch.bodyBytes;
  }

  /** The frame, or undefined when more than one row is in it and it would exceed what clients accept: try fewer rows. */
  encode(pieces: readonly Piece[]): EncodedFrame | undefined {
    const rows = pieces.reduce((sum, piece) => sum + piece.to - piece.from, 0);
    const { batch, columns } = this.#plan(pieces);
    const header = batch.toMessage(rows);
    const plan = planFrame(header, batch.bodyBytes);
    if (plan.end > MESSAGE_MAX_BYTES && rows > 1) {
      return undefined;
    }
    if (plan.end > SINGLE_ROW_MAX_BYTES) {
      const limit = SINGLE_ROW_MAX_BYTES / 1024 / 1024;
      throw new StatusError(
        'resource_exhausted',
        `One row of the result takes ${plan.end} bytes; a row may take ${limit} MiB at most. Select fewer or shorter columns.`,
      );
    }
    const memory = this.#takeMemory(plan.end + FRAME_SLACK_BYTES);
    openFrame(memory, plan, header);
    const writer = new ColumnWriter(this.#tools, memory.subarray(plan.bodyStart, plan.end));
    for (const column of columns) {
      writer.write(column, undefined);
    }
    return { memory, start: plan.frameStart, end: plan.end, rows };
  }

  #plan(pieces: readonly Piece[]) {
    const batch = new BatchLayout();
    const columns = this.#layouts.map((layout, i) =>
      this.#tools.planner.plan(
        layout,
        pieces.map(({ columns, from, to }) => ({ array: columns[i] as NativeArray, from, to })),
        batch,
      ),
    );
    return { batch, columns };
  }
}
