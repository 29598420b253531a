import type { Schema } from 'apache-arrow';
import type { Cells } from './cells.ts';
import type { RowPrinter } from './row-printer.ts';

const NEEDS_QUOTES = /[",\r\n]|^\s|\s$/;

/** RFC 4180 with a header. NULL is an empty field, an empty text is `""`, so the two stay apart. */
export class CsvPrinter implements RowPrinter {
  readonly #maxRows: number;
  #shown = 0;

  constructor(maxRows: number) {
    this.#maxRows = maxRows;
  }

  get shown(): number {
    return this.#shown;
  }

  head(schema: Schema): string {
    return `${schema.fields.map(({ name }) => csvField(name)).join(',')}\n`;
  }

  rows(columns: readonly Cells[], count: number): string {
    const shown = this.#maxRows === 0 ? count : Math.min(count, this.#maxRows - this.#shown);
    this.#shown += shown;
    let text = '';
    for (let row = 0; row < shown; row += 1) {
      for (let column = 0; column < columns.length; column += 1) {
        text += `${column === 0 ? '' : ','}${columnField(columns[column], row)}`;
      }
      text += '\n';
    }
    return text;
  }

  tail(): string {
    return '';
  }
}

function columnField(cells: Cells | undefined, row: number): string {
  if (cells === undefined || cells.isNull(row)) {
    return '';
  }
  const text = cells.text(row);
  return cells.isNumber ? text : csvField(text);
}

function csvField(text: string): string {
  return text === '' || NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
