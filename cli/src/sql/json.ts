import type { Schema } from 'apache-arrow';
import type { Cells } from './cells.ts';
import type { RowPrinter } from './row-printer.ts';

/** One array with one object a line. The closing bracket comes only after the last row: a result cut short does not parse. */
export class JsonPrinter implements RowPrinter {
  readonly #maxRows: number;
  #keys: readonly string[] = [];
  #shown = 0;

  constructor(maxRows: number) {
    this.#maxRows = maxRows;
  }

  get shown(): number {
    return this.#shown;
  }

  #isFull(): boolean {
    return this.#maxRows > 0 && this.#shown >= this.#maxRows;
  }

  head(schema: Schema): string {
    this.#keys = uniqueNames(schema.fields.map(({ name }) => name)).map((name) => JSON.stringify(name));
    return '[';
  }

  rows(columns: readonly Cells[], count: number): string {
    let text = '';
    for (let row = 0; row < count && !this.#isFull(); row += 1) {
      text += `${this.#shown === 0 ? '' : ',\n'}{${columns.map((cells, i) => `${this.#keys[i]}:${cells.json(row)}`).join(',')}}`;
      this.#shown += 1;
    }
    return text;
  }

  tail(): string {
    return ']\n';
  }
}

/** SQL allows two columns of one name, an object does not: later ones get `_2`, `_3`, … */
function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set(names);
  const used = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let n = 2; used.has(unique); n += 1) {
      unique = taken.has(`${name}_${n}`) ? unique : `${name}_${n}`;
    }
    used.add(unique);
    return unique;
  });
}
