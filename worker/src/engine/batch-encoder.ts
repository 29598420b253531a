import { StatusError } from '@jetbridge/proto/status-error';
import { openFrame, planFrame } from '../arrow/flight-data-frame.ts';
import { BatchLayout } from '../arrow/record-batch-message.ts';
import type { NativeArray } from './arrow-c-array.ts';
import type { ColumnLayout } from './arrow-c-schema.ts';
import { ColumnPlanner } from './column-plan.ts';
import { ColumnWriter } from './column-writer.ts';
import type { ResultFrame } from './engine.ts';
import { MESSAGE_MAX_BYTES, SINGLE_ROW_MAX_BYTES } from './engine-limits.ts';
import type { FrameBuffers } from './frame-buffers.ts';
import type { LibDuckDb } from './libduckdb.ts';
import type { NativeReader } from './native-memory.ts';

/** Rows of an exported chunk that wait to be sent. */
export interface Piece {
  readonly columns: readonly NativeArray[];
  readonly from: number;
  readonly to: number;
}

/** Joins pieces into one record batch and copies it straight from the engine's export into a frame. */
export class BatchEncoder {
  readonly #lib: LibDuckDb;
  readonly #reader: NativeReader;
  readonly #planner: ColumnPlanner;
  readonly #layouts: readonly ColumnLayout[];
  readonly #buffers: FrameBuffers;

  constructor(lib: LibDuckDb, reader: NativeReader, layouts: readonly ColumnLayout[], buffers: FrameBuffers) {
    this.#lib = lib;
    this.#reader = reader;
    this.#planner = new ColumnPlanner(reader);
    this.#layouts = layouts;
    this.#buffers = buffers;
  }

  /** Bytes which these rows will take in a body. */
  bodyBytes(pieces: readonly Piece[]): number {
    return this.#plan(pieces).batch.bodyBytes;
  }

  /** The frame, or undefined when more than one row is in it and it would exceed what clients accept: try fewer rows. */
  encode(pieces: readonly Piece[]): ResultFrame | undefined {
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
    const memory = this.#buffers.take(plan.end);
    const bytes = openFrame(memory, plan, header);
    const writer = new ColumnWriter(this.#lib, this.#reader, this.#planner, memory.subarray(plan.bodyStart, plan.end));
    for (const column of columns) {
      writer.write(column, undefined);
    }
    return this.#frame(memory, bytes, rows);
  }

  #plan(pieces: readonly Piece[]) {
    const batch = new BatchLayout();
    const columns = this.#layouts.map((layout, i) =>
      this.#planner.plan(
        layout,
        pieces.map(({ columns, from, to }) => ({ array: columns[i] as NativeArray, from, to })),
        batch,
      ),
    );
    return { batch, columns };
  }

  #frame(memory: Buffer, bytes: Buffer, rows: number): ResultFrame {
    let released = false;
    return {
      bytes,
      rows,
      release: () => {
        if (released) {
          return;
        }
        released = true;
        this.#buffers.give(memory);
      },
    };
  }
}
