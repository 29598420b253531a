import { sql } from 'kysely';
import t from 'tap';
import { onEachDatabase } from '../testing/databases.ts';
import { ADVISORY_LOCKS, advisoryLock } from './database.ts';
import { isUniqueViolation } from './errors.ts';
import { parseInt8 } from './int8.ts';

t.test('a bigint that a number cannot hold is an error', (t) => {
  t.equal(parseInt8('9007199254740991'), Number.MAX_SAFE_INTEGER);
  t.throws(() => parseInt8('9007199254740993'), RangeError);
  t.end();
});

onEachDatabase(t, async (t, open) => {
  const { rows, waiting } = await open(t);

  await t.test('values read the same from both drivers', async (t) => {
    const at = new Date('2026-01-02T03:04:05.678Z');
    const read =
      await sql`select ${sql.lit(12)}::int8 as big, count(*) as count, ${at}::timestamptz as at, ${['a', 'b"']}::text[] as list, ${'{"a":[1]}'}::jsonb as json, true as yes`.execute(
        rows,
      );
    t.same(read.rows, [{ big: 12, count: 1, at, list: ['a', 'b"'], json: { a: [1] }, yes: true }]);
  });

  await t.test('a broken rule is told apart, and the transaction leaves nothing behind', async (t) => {
    const principal = { id: 'prn_1', name: 'one', kind: 'service' as const, roles: [], password_hash: null, created_at: new Date() };
    const twice = rows.transaction().execute(async (writes) => {
      await writes.insertInto('principal').values(principal).execute();
      await writes.insertInto('principal').values(principal).execute();
    });
    await t.rejects(twice);
    t.ok(isUniqueViolation(await twice.catch((error: unknown) => error)));
    t.same(await rows.selectFrom('principal').selectAll().execute(), []);
  });

  await t.test('an advisory lock lets one transaction in at a time', async (t) => {
    let inside = 0;
    let most = 0;
    const enter = () =>
      rows.transaction().execute(async (writes) => {
        await advisoryLock(writes, ADVISORY_LOCKS.audit);
        inside += 1;
        most = Math.max(most, inside);
        await sql`select 1`.execute(writes);
        inside -= 1;
      });
    await Promise.all(Array.from({ length: 8 }, enter));
    t.equal(most, 1);
    t.equal(waiting(), 0);
  });
});
