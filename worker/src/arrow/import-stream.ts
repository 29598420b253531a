import { StatusError } from '@jetbridge/proto/status-error';
import { INGEST_DICTIONARY_BYTES_MAX } from '../engine/engine-limits.ts';
import { type ImportedArray, type ImportedBatch, importBatch, importDictionary } from './import-array.ts';
import { malformed } from './import-error.ts';
import { type ImportColumn, importColumns } from './import-type.ts';
import type { UploadedFlightData } from './parameter-rows.ts';
import { readUploadedMessage, type UploadedBatch, type UploadedMessage } from './uploaded-message.ts';

/** Rows on their way into a table: the columns first, then batch after batch. */
export interface ImportStream {
  readonly columns: readonly ImportColumn[];
  /** The next batch that has rows; undefined at the end. */
  next(): Promise<ImportedBatch | undefined>;
}

/** Reads an upload up to its schema. Whatever is no Arrow stream is `invalid_argument`. */
export async function openImport(messages: AsyncIterator<UploadedFlightData>): Promise<ImportStream> {
  const first = await nextMessage(messages);
  if (first?.message.kind !== 'schema') {
    throw new StatusError('invalid_argument', 'The uploaded Arrow data does not begin with a schema');
  }
  return new MessageImport(importColumns(first.message.fields), messages);
}

interface WithBody {
  readonly message: UploadedMessage;
  readonly body: Uint8Array;
}

// Messages without Arrow in them carry a descriptor or metadata only.
async function nextMessage(messages: AsyncIterator<UploadedFlightData>): Promise<WithBody | undefined> {
  for (let next = await messages.next(); next.done !== true; next = await messages.next()) {
    const { dataHeader, dataBody } = next.value;
    if (dataHeader.length > 0) {
      return { message: asMalformed(() => readUploadedMessage(dataHeader)), body: dataBody };
    }
  }
  return undefined;
}

class MessageImport implements ImportStream {
  readonly columns: readonly ImportColumn[];
  readonly #messages: AsyncIterator<UploadedFlightData>;
  readonly #dictionaries = new Map<bigint, { readonly array: ImportedArray; readonly bytes: number }>();
  readonly #arrays = new Map<bigint, ImportedArray>();

  constructor(columns: readonly ImportColumn[], messages: AsyncIterator<UploadedFlightData>) {
    this.columns = columns;
    this.#messages = messages;
  }

  async next(): Promise<ImportedBatch | undefined> {
    for (let next = await nextMessage(this.#messages); next !== undefined; next = await nextMessage(this.#messages)) {
      const { message, body } = next;
      switch (message.kind) {
        case 'schema':
          throw malformed('a second schema was sent');
        case 'dictionary':
          this.#keep(message.id, message.delta, message.batch, body);
          break;
        case 'batch': {
          const batch = asMalformed(() => importBatch(this.columns, message.batch, body, this.#arrays));
          if (batch.rows > 0) {
            return batch;
          }
        }
      }
    }
    return undefined;
  }

  #keep(id: bigint, delta: boolean, batch: UploadedBatch, body: Uint8Array): void {
    const column = this.columns.find(({ dictionary }) => dictionary?.id === id);
    if (column?.dictionary === undefined) {
      throw malformed('a dictionary was uploaded that no column uses');
    }
    // Two columns may share a dictionary only if its values have one type: what was checked as one must not be read as another.
    if (this.columns.some(({ dictionary }) => dictionary?.id === id && dictionary.values.format !== column.dictionary?.values.format)) {
      throw malformed('two columns of different types share a dictionary');
    }
    if (delta && this.#dictionaries.has(id)) {
      throw new StatusError('unimplemented', 'Dictionaries that grow by deltas cannot be ingested; send them whole');
    }
    const { values } = column.dictionary;
    this.#dictionaries.set(
      id,
      asMalformed(() => importDictionary(values, batch, body)),
    );
    this.#arrays.set(id, (this.#dictionaries.get(id) as { readonly array: ImportedArray }).array);
    const bytes = [...this.#dictionaries.values()].reduce((sum, kept) => sum + kept.bytes, 0);
    if (bytes > INGEST_DICTIONARY_BYTES_MAX) {
      throw new StatusError('resource_exhausted', `The dictionaries of one ingest may have ${INGEST_DICTIONARY_BYTES_MAX} bytes`);
    }
  }
}

// The flatbuffer reader leaves its buffer with a RangeError.
function asMalformed<T>(read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    if (thrown instanceof RangeError) {
      throw new StatusError('invalid_argument', 'The uploaded Arrow data is malformed', { cause: thrown });
    }
    throw thrown;
  }
}
