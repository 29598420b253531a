import t from 'tap';
import { packAny } from './flight-sql-any.ts';
import * as result from './flight-sql-result.ts';

const handle = Buffer.from('handle');
const prepared = { handle, datasetSchema: Buffer.from('d'), parameterSchema: Buffer.from('p') };

t.test('prepared statements, with and without is_update', async (t) => {
  for (const value of [prepared, { ...prepared, isUpdate: true }, { ...prepared, isUpdate: false }]) {
    t.strictSame(result.decodePreparedStatementResult(result.encodePreparedStatementResult(value)), value);
  }
  const encoded = result.encodePreparedStatementResult({ ...prepared, isUpdate: true });
  t.ok(encoded.includes('type.googleapis.com/arrow.flight.protocol.sql.ActionCreatePreparedStatementResult'));
  t.ok(encoded.subarray(-2).equals(Buffer.from([0x20, 1])), 'is_update is field 4');
  const updateFalse = result.encodePreparedStatementResult({ ...prepared, isUpdate: false });
  t.ok(updateFalse.subarray(-2).equals(Buffer.from([0x20, 0])), 'false is said, not left out');
});

t.test('transactions, savepoints and cancellation', async (t) => {
  t.same(result.decodeBeginTransactionResult(result.encodeBeginTransactionResult(handle)), handle);
  t.same(result.decodeBeginSavepointResult(result.encodeBeginSavepointResult(handle)), handle);
  for (const status of ['unspecified', 'cancelled', 'cancelling', 'not_cancellable'] as const) {
    t.equal(result.decodeCancelQueryResult(result.encodeCancelQueryResult(status)), status);
  }
});

t.test('put results are bare', async (t) => {
  t.same(result.encodeDoPutUpdateResult(5), Buffer.from([0x08, 5]));
  t.same(result.encodeDoPutUpdateResult(0n), Buffer.from([0x08, 0]));
  for (const count of [0, 1, -1, 2 ** 40]) {
    t.equal(result.decodeDoPutUpdateResult(result.encodeDoPutUpdateResult(count)), count);
  }
  t.same(result.decodeDoPutPreparedStatementResult(result.encodeDoPutPreparedStatementResult(handle)), handle);
  t.equal(result.decodeDoPutPreparedStatementResult(result.encodeDoPutPreparedStatementResult(undefined)), undefined);
});

t.test('another message in the Any is refused', async (t) => {
  const other = packAny({ name: 'arrow.flight.protocol.sql.ActionBeginTransactionResult', body: Buffer.alloc(0) });
  t.throws(() => result.decodePreparedStatementResult(other), { code: 'invalid_argument' });
  t.throws(() => result.decodePreparedStatementResult(Buffer.alloc(0)), { code: 'invalid_argument' });
});
