/**
 * A flatbuffer table read with bounds: every read outside of the buffer throws a RangeError, and a vector cannot promise more elements than
 * its bytes hold. The generated readers trust their input, which here comes from clients.
 */
export class FlatTable {
  readonly #view: DataView;
  readonly #table: number;
  readonly #vtable: number;

  private constructor(view: DataView, table: number) {
    this.#view = view;
    this.#table = table;
    this.#vtable = table - view.getInt32(table, true);
  }

  /** The root table of a buffer. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  has(field: number): boolean {
    return this.#offset(field) !== 0;
  }

  uint8(field: number, absent: number): number {
    const at = this.#offset(field);
    return at === 0 ? absent : this.#view.getUint8(at);
  }

  int16(field: number, absent: number): number {
    const at = this.#offset(field);
    return at === 0 ? absent : this.#view.getInt16(at, true);
  }

  int32(field: number, absent: number): number {
    const at = this.#offset(field);
    return at === 0 ? absent : this.#view.getInt32(at, true);
  }

  int64(field: number): bigint {
    const at = this.#offset(field);
    return at === 0 ? 0n : this.#view.getBigInt64(at, true);
  }

  table(field: number): FlatTable | undefined {
    const at = this.#offset(field);
    return at === 0 ? undefined : new FlatTable(this.#view, at + this.#view.getUint32(at, true));
  }

  text(field: number): string {
    const { start, count } = this.#vector(field, 1);
    return Buffer.from(this.#view.buffer, this.#view.byteOffset + start, count).toString('utf8');
  }

  tables(field: number): FlatTable[] {
    const { start, count } = this.#vector(field, 4);
    return Array.from({ length: count }, (_, i) => new FlatTable(this.#view, start + i * 4 + this.#view.getUint32(start + i * 4, true)));
  }

  vectorLength(field: number): number {
    return this.#vector(field, 1).count;
  }

  /** A vector of structs (or scalars) of int64 words. */
  words(field: number, wordsEach: number): bigint[] {
    const { start, count } = this.#vector(field, wordsEach * 8);
    return Array.from({ length: count * wordsEach }, (_, i) => this.#view.getBigInt64(start + i * 8, true));
  }

  #vector(field: number, elementBytes: number): { readonly start: number; readonly count: number } {
    const at = this.#offset(field);
    if (at === 0) {
      return { start: 0, count: 0 };
    }
    const vector = at + this.#view.getUint32(at, true);
    const count = this.#view.getUint32(vector, true);
    if (vector + 4 + count * elementBytes > this.#view.byteLength) {
      throw new RangeError('A flatbuffer vector exceeds its buffer');
    }
    return { start: vector + 4, count };
  }

  /** Position of a field, or 0 when it is absent. */
  #offset(field: number): number {
    const entry = 4 + field * 2;
    if (entry >= this.#view.getUint16(this.#vtable, true)) {
      return 0;
    }
    const offset = this.#view.getUint16(this.#vtable + entry, true);
    return offset === 0 ? 0 : this.#table + offset;
  }
}
