import type { ParameterValue } from '../engine/engine.ts';

/** Conditions of a metadata query, joined by AND. Values travel as parameters, never as SQL. */
export class Filters {
  readonly #conditions: string[] = [];
  readonly #values: ParameterValue[] = [];

  constructor(...conditions: readonly string[]) {
    this.#conditions.push(...conditions);
  }

  /** Names are case-insensitive in DuckDB. An absent name matches all, an empty one what has none. */
  equal(column: string, name: string | undefined): this {
    return this.#add(`lower(${column}) = lower(?)`, name);
  }

  /** A LIKE pattern with `\` as its escape, as GetSqlInfo says. */
  like(column: string, pattern: string | undefined): this {
    return this.#add(`${column} ILIKE ? ESCAPE '\\'`, pattern);
  }

  oneOf(column: string, names: readonly string[]): this {
    if (names.length > 0) {
      this.#conditions.push(`${column} IN (${names.map(() => '?').join(', ')})`);
      this.#values.push(...names.map((value) => ({ kind: 'text', value }) as const));
    }
    return this;
  }

  #add(condition: string, value: string | undefined): this {
    if (value !== undefined) {
      this.#conditions.push(condition);
      this.#values.push({ kind: 'text', value });
    }
    return this;
  }

  get where(): string {
    return this.#conditions.length === 0 ? '' : `WHERE ${this.#conditions.join(' AND ')}`;
  }

  get values(): readonly ParameterValue[] {
    return this.#values;
  }
}
