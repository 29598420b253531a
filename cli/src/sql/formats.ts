import { TABLE_TTY_ROWS } from '../limits.ts';
import { CsvPrinter } from './csv.ts';
import { JsonPrinter } from './json.ts';
import type { RowPrinter } from './row-printer.ts';
import { TablePrinter } from './table.ts';

export const FORMATS = ['table', 'csv', 'json', 'arrow'] as const;
export type Format = (typeof FORMATS)[number];

export interface PrintOptions {
  readonly format: Exclude<Format, 'arrow'>;
  readonly isTerminal: boolean;
  /** 0 shows all rows; undefined is the default: all, except for tables on a terminal. */
  readonly maxRows: number | undefined;
}

export function rowPrinterOf({ format, isTerminal, maxRows }: PrintOptions): RowPrinter {
  if (format === 'table') {
    return new TablePrinter({ maxRows: maxRows ?? (isTerminal ? TABLE_TTY_ROWS : 0), isTerminal });
  }
  return format === 'csv' ? new CsvPrinter(maxRows ?? 0) : new JsonPrinter(maxRows ?? 0);
}
