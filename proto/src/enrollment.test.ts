import { createHash, randomBytes } from 'node:crypto';
import t from 'tap';
import { formatEnrollmentToken, hashEnrollmentSecret, parseEnrollmentToken } from './enrollment.ts';
import { newId } from './ids.ts';

const token = { id: newId('enr'), secret: randomBytes(32).toString('base64url'), rootPin: randomBytes(32).toString('hex') };
const text = formatEnrollmentToken(token);

t.test('a token keeps its three parts', async (t) => {
  t.match(text, /^jbe_[0-9a-z]{26}_[\w-]{43}\.[0-9a-f]{64}$/);
  for (let round = 0; round < 200; round += 1) {
    const random = { id: newId('enr'), secret: randomBytes(32).toString('base64url'), rootPin: randomBytes(32).toString('hex') };
    t.same(parseEnrollmentToken(formatEnrollmentToken(random)), random);
  }
  t.same(parseEnrollmentToken(`  ${text}\n`), token, 'white space around it is forgiven');
});

t.test('a damaged token is refused without being repeated', async (t) => {
  const damaged = [
    '',
    'jbe_',
    text.slice(1),
    text.slice(0, -1),
    `${text}0`,
    text.replace('.', ','),
    text.replace('jbe_', 'jba_'),
    text.slice(0, 40),
    text.replace(token.rootPin, token.rootPin.toUpperCase().replace(/^./, 'A')),
    text.replace(token.secret, `${token.secret.slice(0, 42)}B`),
    text.replace(token.id.slice(4), 'u'.repeat(26)),
    `${text} ${text}`,
    'x'.repeat(1_000_000),
  ];
  for (const bad of damaged) {
    try {
      parseEnrollmentToken(bad);
      t.fail(bad.slice(0, 100));
    } catch (error) {
      t.match(error, { code: 'invalid_argument', message: /enroll-token create/ });
      t.notOk(String(error).includes(token.secret.slice(0, 20)));
    }
  }
});

t.test('a token that could not be read again is not written', async (t) => {
  t.throws(() => formatEnrollmentToken({ ...token, secret: 'short' }), { code: 'internal' });
  t.throws(() => formatEnrollmentToken({ ...token, rootPin: 'abc' }), { code: 'internal' });
  t.throws(() => formatEnrollmentToken({ ...token, id: 'enr_x' }), { code: 'invalid_argument' });
});

t.test('only a hash of the secret is stored', async (t) => {
  t.equal(hashEnrollmentSecret(token.secret), createHash('sha256').update(token.secret).digest('hex'));
});
