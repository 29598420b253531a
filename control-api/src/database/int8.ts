/** The type number of bigint (pg_type.oid), which `count(*)` has too. */
export const TYPE_INT8 = 20;

/** Both drivers read bigint as a number; what a number cannot hold is an error, never a rounded value. */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new RangeError('a bigint column holds a value that a number cannot hold');
  }
  return value;
}
