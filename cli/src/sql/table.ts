import type { Schema } from 'apache-arrow';
import { TABLE_MAX_COLUMN_WIDTH, TABLE_SAMPLE_ROWS } from '../limits.ts';
import type { Cells } from './cells.ts';
import type { RowPrinter } from './row-printer.ts';
import { displayWidth, fitWidth, padCell, visibleText } from './text-width.ts';

export interface TableOptions {
  /** 0 shows all. */
  readonly maxRows: number;
  /** On a terminal wide values are cut; elsewhere nothing is lost. */
  readonly isTerminal: boolean;
}

const NULL_TEXT = 'NULL';

/** Columns as wide as the first rows need. Later rows use the same widths, so any number of rows takes the same memory. */
export class TablePrinter implements RowPrinter {
  readonly #options: TableOptions;
  #names: readonly string[] = [];
  #right: readonly boolean[] = [];
  #sample: (readonly string[])[] | undefined = [];
  #widths: readonly number[] = [];
  #shown = 0;

  constructor(options: TableOptions) {
    this.#options = options;
  }

  get shown(): number {
    return this.#shown;
  }

  #isFull(): boolean {
    return this.#options.maxRows > 0 && this.#shown >= this.#options.maxRows;
  }

  head(schema: Schema): string {
    this.#names = schema.fields.map(({ name }) => this.#cell(name));
    return '';
  }

  rows(columns: readonly Cells[], count: number): string {
    this.#right = columns.map(({ isNumber }) => isNumber);
    let text = '';
    for (let row = 0; row < count && !this.#isFull(); row += 1) {
      const cells = columns.map((column) => (column.isNull(row) ? NULL_TEXT : this.#cell(column.text(row))));
      this.#shown += 1;
      text += this.#sample === undefined ? this.#line(cells) : this.#addToSample(this.#sample, cells);
    }
    return text;
  }

  tail(): string {
    return this.#sample === undefined ? '' : this.#printSample(this.#sample);
  }

  #addToSample(sample: (readonly string[])[], cells: readonly string[]): string {
    sample.push(cells);
    return sample.length < TABLE_SAMPLE_ROWS ? '' : this.#printSample(sample);
  }

  #printSample(sample: readonly (readonly string[])[]): string {
    this.#sample = undefined;
    this.#widths = this.#names.map((name, i) =>
      sample.reduce((width, cells) => Math.max(width, displayWidth(cells[i] ?? '')), displayWidth(name)),
    );
    const rule = `${this.#widths.map((width) => '-'.repeat(width + 2)).join('+')}\n`;
    return this.#line(this.#names) + rule + sample.map((cells) => this.#line(cells)).join('');
  }

  #line(cells: readonly string[]): string {
    const last = cells.length - 1;
    const padded = cells.map((cell, i) => {
      const right = this.#right[i] === true;
      return i === last && !right ? cell : padCell(cell, this.#widths[i] ?? 0, right);
    });
    return ` ${padded.join(' | ')}\n`;
  }

  #cell(text: string): string {
    const visible = visibleText(text);
    return this.#options.isTerminal ? fitWidth(visible, TABLE_MAX_COLUMN_WIDTH) : visible;
  }
}
