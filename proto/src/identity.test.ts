import t from 'tap';
import { identityUri, isTrustDomain, parseIdentityUri } from './identity.ts';
import { newId } from './ids.ts';

const workerId = newId('wkr');
const trustDomain = 'jetbridge.internal';

t.test('an identity and its URI are the same thing', async (t) => {
  for (const identity of [
    { trustDomain, kind: 'worker', id: workerId },
    { trustDomain, kind: 'gateway', id: newId('gtw') },
    { trustDomain: 'x_1.example-2', kind: 'control-api', id: 'control-api' },
  ] as const) {
    t.same(parseIdentityUri(identityUri(identity)), identity);
  }
  t.equal(identityUri({ trustDomain, kind: 'worker', id: workerId }), `spiffe://jetbridge.internal/worker/${workerId}`);
});

t.test('any other URI is refused', async (t) => {
  const base = `spiffe://${trustDomain}/worker/${workerId}`;
  const refused = [
    '',
    base.toUpperCase(),
    base.replace('spiffe', 'SPIFFE'),
    base.replace('spiffe', 'https'),
    `${base}/`,
    `${base}/x`,
    `${base}?a=1`,
    `${base}#a`,
    `${base}\n`,
    `${base}%00`,
    ` ${base}`,
    base.replace(trustDomain, `${trustDomain}:443`),
    base.replace(trustDomain, `user@${trustDomain}`),
    base.replace(trustDomain, 'Jetbridge.internal'),
    base.replace(trustDomain, ''),
    base.replace(trustDomain, 'a'.repeat(256)),
    base.replace(trustDomain, '.a'),
    base.replace(trustDomain, 'a..b'),
    base.replace('/worker/', '/Worker/'),
    base.replace('/worker/', '//worker/'),
    base.replace('/worker/', '/agent/'),
    base.replace('/worker/', '/gateway/'),
    base.replace(workerId, '..'),
    base.replace(workerId, 'wkr_x'),
    `spiffe://${trustDomain}/control-api/`,
    `spiffe://${trustDomain}/control-api/-a`,
    `spiffe://${trustDomain}/worker/${'a'.repeat(5000)}`,
  ];
  for (const uri of refused) {
    t.throws(() => parseIdentityUri(uri), { code: 'invalid_argument' }, JSON.stringify(uri.slice(0, 80)));
  }
});

t.test('an impossible identity cannot be written either', async (t) => {
  t.throws(() => identityUri({ trustDomain, kind: 'worker', id: newId('gtw') }), { code: 'invalid_argument' });
  t.throws(() => identityUri({ trustDomain: 'a/b', kind: 'worker', id: workerId }), { code: 'invalid_argument' });
});

t.test('trust domains', async (t) => {
  t.ok(isTrustDomain('jetbridge.internal'));
  for (const value of ['', 'A', 'a/b', 'a:1', '.a', 'a.', 'a..b', 'a\n', 'ä']) {
    t.notOk(isTrustDomain(value), value);
  }
});
