import { FLIGHT_SQL_PACKAGE, flightSqlMessages, packAny, unpackAny } from './flight-sql-any.ts';
import { REQUEST_MAX_BYTES, STRUCTURE_MAX_BYTES } from './limits.ts';
import type { MessageCodec } from './message-codec.ts';
import { StatusError } from './status-error.ts';

/** Answer of CreatePreparedStatement. Schemas are encapsulated IPC messages; `datasetSchema` has no fields for statements without rows. */
export interface PreparedStatementResult {
  readonly handle: Buffer;
  readonly datasetSchema: Buffer;
  readonly parameterSchema: Buffer;
  /** Absent in the answers of older servers. */
  readonly isUpdate?: boolean | undefined;
}

/** Messages in a Result's body, which the specification wraps in an `Any`. */
function wrapped<Wire extends object>(message: string, maxBytes: number = STRUCTURE_MAX_BYTES): MessageCodec<Wire> {
  const name = FLIGHT_SQL_PACKAGE + message;
  const codec = flightSqlMessages<Wire>(name, maxBytes);
  return {
    encode: (wire) => packAny({ name, body: codec.encode(wire) }),
    decode: (bytes) => {
      const found = unpackAny(bytes);
      if (found?.name !== name) {
        throw new StatusError('invalid_argument', `expected a ${name} in an Any`);
      }
      return codec.decode(found.body);
    },
  };
}

interface WirePrepared extends Omit<PreparedStatementResult, 'handle'> {
  readonly preparedStatementHandle: Buffer;
}

const preparedCodec = wrapped<WirePrepared>('ActionCreatePreparedStatementResult', REQUEST_MAX_BYTES);

export function encodePreparedStatementResult({ handle, ...rest }: PreparedStatementResult): Buffer {
  return preparedCodec.encode({ ...rest, preparedStatementHandle: handle });
}

export function decodePreparedStatementResult(bytes: Uint8Array): PreparedStatementResult {
  const { preparedStatementHandle, ...rest } = preparedCodec.decode(bytes);
  return { ...rest, handle: preparedStatementHandle };
}

const transactionCodec = wrapped<{ readonly transactionId: Buffer }>('ActionBeginTransactionResult');

export function encodeBeginTransactionResult(transactionId: Buffer): Buffer {
  return transactionCodec.encode({ transactionId });
}

export function decodeBeginTransactionResult(bytes: Uint8Array): Buffer {
  return transactionCodec.decode(bytes).transactionId;
}

const savepointCodec = wrapped<{ readonly savepointId: Buffer }>('ActionBeginSavepointResult');

export function encodeBeginSavepointResult(savepointId: Buffer): Buffer {
  return savepointCodec.encode({ savepointId });
}

export function decodeBeginSavepointResult(bytes: Uint8Array): Buffer {
  return savepointCodec.decode(bytes).savepointId;
}

export type CancelQueryResult = 'unspecified' | 'cancelled' | 'cancelling' | 'not_cancellable';

const cancelCodec = wrapped<{ readonly result: string | number }>('ActionCancelQueryResult');
const CANCEL_RESULT_PREFIX = 'CANCEL_RESULT_';
const CANCEL_RESULTS: readonly CancelQueryResult[] = ['unspecified', 'cancelled', 'cancelling', 'not_cancellable'];

/** Answer of the older CancelQuery; CancelFlightInfo's is in flight.ts. */
export function encodeCancelQueryResult(result: CancelQueryResult): Buffer {
  return cancelCodec.encode({ result: CANCEL_RESULT_PREFIX + result.toUpperCase() });
}

export function decodeCancelQueryResult(bytes: Uint8Array): CancelQueryResult {
  const { result } = cancelCodec.decode(bytes);
  return CANCEL_RESULTS.find((known) => result === CANCEL_RESULT_PREFIX + known.toUpperCase()) ?? 'unspecified';
}

const updateCodec = flightSqlMessages<{ readonly recordCount: string }>(`${FLIGHT_SQL_PACKAGE}DoPutUpdateResult`, STRUCTURE_MAX_BYTES);

/** For PutResult's appMetadata, bare. -1 when the count is not known. */
export function encodeDoPutUpdateResult(recordCount: number | bigint): Buffer {
  return updateCodec.encode({ recordCount: recordCount.toString() });
}

export function decodeDoPutUpdateResult(bytes: Uint8Array): number {
  return Number(updateCodec.decode(bytes).recordCount);
}

const boundCodec = flightSqlMessages<{ readonly preparedStatementHandle?: Buffer | undefined }>(
  `${FLIGHT_SQL_PACKAGE}DoPutPreparedStatementResult`,
  STRUCTURE_MAX_BYTES,
);

/** For PutResult's appMetadata, bare. A handle tells the client to use that one from now on. */
export function encodeDoPutPreparedStatementResult(handle: Buffer | undefined): Buffer {
  return boundCodec.encode({ preparedStatementHandle: handle });
}

export function decodeDoPutPreparedStatementResult(bytes: Uint8Array): Buffer | undefined {
  return boundCodec.decode(bytes).preparedStatementHandle;
}
