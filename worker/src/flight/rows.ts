import { type Data, makeData, RecordBatch, type Schema, Struct, type Table, vectorFromArray } from 'apache-arrow';
import { METADATA_BATCH_ROWS, SENT_MESSAGE_BYTES_MAX } from '../limits.ts';

/** Values of one row in the order of the schema's fields. */
export type Row = readonly unknown[];

/** Rows as record batches that each fit into one message. */
export function batchesOf(schema: Schema, rows: readonly Row[]): readonly RecordBatch[] {
  return slicesOf(rows).map((slice) => {
    const columns = schema.fields.map(
      (field, at) =>
        vectorFromArray(
          slice.map((row) => row[at]),
          field.type,
        ).data[0] as Data,
    );
    return batchOf(schema, columns, slice.length);
  });
}

export function batchOf(schema: Schema, columns: readonly Data[], length: number): RecordBatch {
  return new RecordBatch(schema, makeData({ type: new Struct(schema.fields), length, nullCount: 0, children: [...columns] }));
}

// Only binary values are large: the Arrow schemas of GetTables.
function slicesOf(rows: readonly Row[]): readonly (readonly Row[])[] {
  const slices: Row[][] = [];
  let slice: Row[] = [];
  let bytes = 0;
  for (const row of rows) {
    const rowBytes = row.reduce<number>((sum, value) => sum + (value instanceof Uint8Array ? value.length : 0), 0);
    if (slice.length >= METADATA_BATCH_ROWS || (bytes + rowBytes > SENT_MESSAGE_BYTES_MAX / 2 && slice.length > 0)) {
      slices.push(slice);
      slice = [];
      bytes = 0;
    }
    slice.push(row);
    bytes += rowBytes;
  }
  return slice.length > 0 ? [...slices, slice] : slices;
}

/** The rows of a table that the engine answered, as plain values. */
export function rowsOf(table: Table): readonly Row[] {
  const columns = table.schema.fields.map((_field, at) => table.getChildAt(at));
  return Array.from({ length: table.numRows }, (_none, row) => columns.map((column) => column?.get(row)));
}
