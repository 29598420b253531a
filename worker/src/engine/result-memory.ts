import type { ResultWords } from './libduckdb.ts';

/** Room for a `duckdb_result`, as the functions take it that want a pointer. */
export function resultMemory(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(48));
}

/** `duckdb_result` as the functions take it that want it by value. */
export function wordsOf(memory: Uint8Array<ArrayBuffer>): ResultWords {
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n] = new BigUint64Array(memory.buffer);
  return { a, b, c, d, e, f };
}

/** The same `duckdb_result` in memory again. */
export function memoryOf({ a, b, c, d, e, f }: ResultWords): Uint8Array<ArrayBuffer> {
  const memory = resultMemory();
  new BigUint64Array(memory.buffer).set([a, b, c, d, e, f]);
  return memory;
}
