import { type Data, type Field, makeData, type RecordBatch, Uint32, vectorFromArray } from 'apache-arrow';
import { SQL_INFO_CHILDREN, SQL_INFO_SCHEMA } from './metadata-schemas.ts';
import { batchOf } from './rows.ts';
import { SQL_INFO_VALUES, type SqlInfoValue } from './sql-info-values.ts';

// In the order of the union's type ids.
const CHILDREN: readonly SqlInfoValue['child'][] = ['string', 'bool', 'bigint', 'bitmask', 'list', 'map'];

/** The asked codes that exist, or all of them when none is asked for. */
export function sqlInfoBatch(codes: readonly number[]): RecordBatch {
  const asked = codes.length === 0 ? [...SQL_INFO_VALUES.keys()] : [...new Set(codes)];
  const rows = asked.flatMap((code) => {
    const value = SQL_INFO_VALUES.get(code);
    return value === undefined ? [] : [{ code, value }];
  });
  const names = vectorFromArray(
    rows.map(({ code }) => code),
    new Uint32(),
  ).data[0] as Data;
  return batchOf(SQL_INFO_SCHEMA, [names, unionOf(rows.map(({ value }) => value))], rows.length);
}

// A dense union holds one column per child, and for each row the child and the row in it.
function unionOf(values: readonly SqlInfoValue[]): Data {
  const columns = CHILDREN.map((child) => values.filter((value) => value.child === child).map(({ value }) => arrowValue(value)));
  const next = CHILDREN.map(() => 0);
  const typeIds = new Int8Array(values.length);
  const valueOffsets = new Int32Array(values.length);
  for (const [row, { child }] of values.entries()) {
    const id = CHILDREN.indexOf(child);
    typeIds[row] = id;
    valueOffsets[row] = next[id] as number;
    next[id] = (next[id] as number) + 1;
  }
  const children = columns.map((column, id) => vectorFromArray(column, (SQL_INFO_CHILDREN[id] as Field).type).data[0] as Data);
  const { type } = SQL_INFO_SCHEMA.fields[1] as Field;
  return makeData({ type, length: values.length, nullCount: 0, typeIds, valueOffsets, children } as Parameters<typeof makeData>[0]);
}

// The builders take plain arrays and maps of them.
function arrowValue(value: SqlInfoValue['value']): unknown {
  if (value instanceof Map) {
    return new Map([...value].map(([key, numbers]) => [key, [...numbers]]));
  }
  return Array.isArray(value) ? [...value] : value;
}
