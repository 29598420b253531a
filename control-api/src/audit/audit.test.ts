import t from 'tap';
import { openTestApi } from '../testing/api.ts';
import { onEachDatabase } from '../testing/databases.ts';
import { type AuditContent, auditHash, CHAIN_START, canonicalJson } from './chain.ts';
import { createAudit } from './rules.ts';

type Listed = Omit<AuditContent, 'at'> & { readonly at: string; readonly previousHash: string; readonly hash: string };

t.test('canonical JSON has one spelling', (t) => {
  t.equal(canonicalJson({ b: [1, undefined, { z: null, a: 'ü"' }], a: undefined, A: -0 }), '{"A":0,"b":[1,null,{"a":"ü\\"","z":null}]}');
  t.end();
});

onEachDatabase(t, async (t, open) => {
  const database = await open(t);
  const api = await openTestApi(t, database);

  await t.test('the chain has no gap after concurrent writes', async (t) => {
    const audit = createAudit(database.rows, api.clock.now);
    const detail = { nested: { z: 1, a: [1.5, 1e21, 'ü\n'] }, absent: undefined };
    await Promise.all(
      Array.from({ length: 40 }, (_, count) =>
        audit.recordAlone({ action: 'sign_in', subject: `s${count}`, outcome: 'failure', sourceAddress: '::1', detail }),
      ),
    );
    const records: Listed[] = [];
    const bearer = await api.admin();
    for (let cursor = ''; ; ) {
      const { body } = await api.call('GET', `/v1/audit?limit=7${cursor}`, { bearer });
      records.unshift(...body.records.toReversed());
      if (body.nextCursor === undefined) {
        break;
      }
      cursor = `&cursor=${body.nextCursor}`;
    }
    t.equal(records.length, 42, 'the first admin, 40 failures, one sign-in');
    let previous = CHAIN_START;
    for (const [index, { previousHash, hash, at, ...content }] of records.entries()) {
      t.equal(content.sequence, index + 1);
      t.equal(previousHash, previous);
      t.equal(hash, auditHash(previousHash, { ...content, at: new Date(at) }), 'the hash covers the record as it is read');
      previous = hash;
    }
  });

  await t.test('records cannot be changed or removed', async (t) => {
    await t.rejects(
      database.rows
        .updateTable('audit')
        .set({} as never)
        .set('actor' as never, 'x' as never)
        .execute(),
      /append-only/,
    );
    await t.rejects(database.rows.deleteFrom('audit').execute(), /append-only/);
  });

  await t.test('what a stranger types is made storable', async (t) => {
    const audit = createAudit(database.rows, api.clock.now);
    await audit.recordAlone({ action: 'sign_in', subject: `a\u0000b\ud800\n${'x'.repeat(500)}`, outcome: 'failure', sourceAddress: '::1' });
    const { records } = (await api.call('GET', '/v1/audit?limit=1&cursor=9999', { bearer: await api.admin() })).body;
    t.ok(records[0].sequence > 0);
  });
});
