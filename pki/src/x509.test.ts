import t from 'tap';
import { attempt, openssl } from './fixture.ts';
import { bitString, bytesOf, decodeDer, encodeDer, octetsOfBitString, oid, oidOf, primitive, sequence, TAG, time } from './x509.ts';

const MALFORMED = { code: 'invalid_argument', message: /malformed/ };

function read(hex: string): unknown {
  return attempt(() => encodeDer(decodeDer(Buffer.from(hex, 'hex'), 1000)).toString('hex'));
}

t.test('reads DER', async (t) => {
  for (const hex of ['3000', '020100', '02020080', '0201ff', '30030101ff', '0500', `048180${'00'.repeat(128)}`]) {
    t.equal(read(hex), hex);
  }
});

for (const [what, hex] of [
  ['nothing', ''],
  ['a tag without a length', '30'],
  ['a value cut off', '300302'],
  ['a length beyond the end', '3084ffffffff00'],
  ['a length of 2^1016', `30ff${'ff'.repeat(127)}`],
  ['trailing bytes', '300000'],
  ['an indefinite length', '30800000'],
  ['a long form that could be short', '30810100'],
  ['a long form with leading zeros', '0482000100'],
  ['a padded positive integer', '02020001'],
  ['a padded negative integer', '0202ffff'],
  ['a child that reaches beyond its parent', '300204020000'],
  ['nesting beyond the bound', '30'.concat('80'.repeat(20), '0000'.repeat(20))],
  ['deep nesting in definite lengths', nested(200)],
] as const) {
  t.test(`refuses ${what}`, async (t) => {
    t.match(read(hex), MALFORMED);
  });
}

function nested(depth: number): string {
  let bytes = Buffer.alloc(0);
  for (let level = 0; level < depth; level += 1) {
    const length = bytes.length < 128 ? Buffer.of(bytes.length) : Buffer.of(0x82, bytes.length >> 8, bytes.length & 0xff);
    bytes = Buffer.concat([Buffer.of(0x30), length, bytes]);
  }
  return bytes.toString('hex');
}

t.test('refuses what is longer than its bound, before reading it', async (t) => {
  t.match(
    attempt(() => decodeDer(Buffer.alloc(1001), 1000)),
    { code: 'invalid_argument', message: /longer than 1000 bytes/ },
  );
});

t.test('object identifiers have one spelling', async (t) => {
  t.equal(oidOf(oid('1.2.840.10045.4.3.2')), '1.2.840.10045.4.3.2');
  for (const hex of ['', '2a80', '2a8001', '2affffffffffffffffff7f']) {
    t.match(
      attempt(() => oidOf(primitive(TAG.oid, Buffer.from(hex, 'hex')))),
      { code: 'invalid_argument' },
      hex,
    );
  }
});

t.test('a value of another type or of broken octets is refused', async (t) => {
  t.match(
    attempt(() => bytesOf(sequence(), TAG.integer)),
    MALFORMED,
  );
  t.match(
    attempt(() => octetsOfBitString(bitString(Buffer.of(0x80), 7))),
    MALFORMED,
  );
  t.match(
    attempt(() => octetsOfBitString(primitive(TAG.bitString, Buffer.alloc(0)))),
    MALFORMED,
  );
});

t.test('times are UTCTime through 2049 and GeneralizedTime after', async (t) => {
  t.equal(bytesOf(time(new Date('2049-12-31T23:59:59.999Z')), TAG.utcTime).toString(), '491231235959Z');
  t.equal(bytesOf(time(new Date('2050-01-01T00:00:00Z')), TAG.generalizedTime).toString(), '20500101000000Z');
});

t.test('OpenSSL reads what is written', async (t) => {
  const der = encodeDer(sequence(oid('2.5.29.17'), bitString(Buffer.of(0x80), 7), primitive(TAG.octetString, Buffer.alloc(300))));
  t.match(openssl(['asn1parse', '-inform', 'DER'], der).toString(), /X509v3 Subject Alternative Name[\s\S]*BIT STRING[\s\S]*OCTET STRING/);
});
