import type { Schema } from 'apache-arrow';
import type { Cells } from './cells.ts';

/** Turns batches into text, piece by piece; keeps no more than it must. */
export interface RowPrinter {
  head(schema: Schema): string;
  rows(columns: readonly Cells[], count: number): string;
  tail(): string;
  /** Rows printed or kept to be printed; fewer than were given once the wanted number is reached. */
  readonly shown: number;
}
