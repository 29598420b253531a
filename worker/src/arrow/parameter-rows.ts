import { StatusError } from '@jetbridge/proto/status-error';
import type { ParameterValue } from '../engine/engine.ts';
import { PARAMETER_VALUES_MAX } from '../engine/engine-limits.ts';
import { type ColumnValues, UploadedColumns } from './uploaded-column.ts';
import { readUploadedMessage, type UploadedBatch, type UploadedField } from './uploaded-message.ts';

/** What of a FlightData carries Arrow. */
export interface UploadedFlightData {
  readonly dataHeader: Uint8Array;
  readonly dataBody: Uint8Array;
}

/** The rows that a client bound: a schema message, then batches and their dictionaries. Whatever else it sent is `invalid_argument`. */
export function decodeParameterRows(messages: readonly UploadedFlightData[]): ParameterValue[][] {
  const upload = new Upload();
  try {
    for (const { dataHeader, dataBody } of messages) {
      if (dataHeader.length > 0) {
        upload.add(dataHeader, dataBody);
      }
    }
  } catch (error) {
    if (error instanceof RangeError) {
      throw new StatusError('invalid_argument', 'The uploaded Arrow data is malformed', { cause: error });
    }
    throw error;
  }
  return upload.rows;
}

class Upload {
  readonly rows: ParameterValue[][] = [];
  readonly #dictionaries = new Map<bigint, { readonly rows: number; readonly values: ColumnValues }>();
  #fields: readonly UploadedField[] | undefined;
  #values = 0;

  add(header: Uint8Array, body: Uint8Array): void {
    const message = readUploadedMessage(header);
    if (message.kind === 'schema') {
      this.#fields = requireScalars(message.fields);
      return;
    }
    if (!this.#fields) {
      throw new StatusError('invalid_argument', 'The uploaded Arrow data does not begin with a schema');
    }
    if (message.kind === 'dictionary') {
      this.#addDictionary(this.#fields, message.id, message.delta, message.batch, body);
    } else {
      this.#addBatch(this.#fields, message.batch, body);
    }
  }

  #addBatch(fields: readonly UploadedField[], batch: UploadedBatch, body: Uint8Array): void {
    const count = this.#count(batch, fields.length);
    const reader = new UploadedColumns(batch, body, count);
    const columns = fields.map((field) => reader.next(field, this.#dictionaries));
    for (let row = 0; row < count; row++) {
      this.rows.push(columns.map((values) => values(row)));
    }
  }

  #addDictionary(fields: readonly UploadedField[], id: bigint, delta: boolean, batch: UploadedBatch, body: Uint8Array): void {
    const field = fields.find((candidate) => candidate.dictionary?.id === id);
    if (!field) {
      throw new StatusError('invalid_argument', 'A dictionary was uploaded that no column uses');
    }
    const count = this.#count(batch, 1);
    const values = new UploadedColumns(batch, body, count).next({ ...field, dictionary: undefined }, new Map());
    const before = delta ? this.#dictionaries.get(id) : undefined;
    const first = before?.rows ?? 0;
    const all: ColumnValues = before ? (row) => (row < first ? before.values(row) : values(row - first)) : values;
    this.#dictionaries.set(id, { rows: first + count, values: all });
  }

  /** Rows of a batch, admitted against the bound before anything is allocated for them. */
  #count(batch: UploadedBatch, columns: number): number {
    if (batch.rows < 0n) {
      throw new StatusError('invalid_argument', 'The uploaded Arrow data is malformed: a batch has a negative length');
    }
    this.#values += Number(batch.rows) * Math.max(1, columns);
    if (this.#values > PARAMETER_VALUES_MAX) {
      throw new StatusError(
        'resource_exhausted',
        `One upload may bind ${PARAMETER_VALUES_MAX} values at most; send fewer rows at a time, or ingest the data`,
      );
    }
    return Number(batch.rows);
  }
}

const NESTED: ReadonlySet<string> = new Set<UploadedField['type']['kind']>([
  'list',
  'large_list',
  'fixed_list',
  'struct',
  'map',
  'unknown',
]);

function requireScalars(fields: readonly UploadedField[]): readonly UploadedField[] {
  const refused = fields.find(({ type }) => NESTED.has(type.kind));
  if (refused !== undefined) {
    throw new StatusError(
      'invalid_argument',
      `Parameter column "${refused.name}" has an Arrow type (number ${refused.typeNumber}) that cannot be bound; use a scalar type`,
    );
  }
  return fields;
}
