import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { attempt, oddCertificate, openssl, stealCa, testAuthority } from './fixture.ts';
import { constructed, contextConstructed, contextPrimitive, oid, primitive, sequence, TAG } from './x509.ts';
import {
  decodeDistinguishedName,
  decodeSubjectNames,
  encodeDistinguishedName,
  encodeSubjectNames,
  requireDnsName,
  requireIpAddress,
} from './x509-name.ts';

const INVALID = { code: 'invalid_argument' };

t.test('DNS names', async (t) => {
  for (const name of ['localhost', 'gateway.example.com', 'a-b.c1', '1.gateway', `${'a'.repeat(63)}.b`]) {
    t.equal(requireDnsName(name), name);
  }
  for (const name of [
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    '..',
    '*',
    '*.example.com',
    'Example.com',
    'xn--e1afmkfd.example',
    'a.xn--p1ai',
    'exаmple.com',
    'a b',
    'a\0.com',
    'a\n',
    'a_b.com',
    '-a.com',
    'a-.com',
    '10.0.0.1',
    'a.1',
    `${'a'.repeat(64)}.b`,
    `${'a.'.repeat(127)}a`,
  ]) {
    t.match(
      attempt(() => requireDnsName(name)),
      INVALID,
      JSON.stringify(name),
    );
  }
});

t.test('IP addresses', async (t) => {
  for (const address of [
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '256.0.0.1',
    '1.2.3.4/8',
    'fe80::1%eth0',
    '[::1]',
    '::g',
    '1.2.3.4\n',
  ]) {
    t.match(
      attempt(() => requireIpAddress(address)),
      INVALID,
      JSON.stringify(address),
    );
  }
});

t.test('OpenSSL and Node read every form of address as we mean it', async (t) => {
  const ca = await stealCa(await testAuthority(t), 'services');
  const addresses = [
    '127.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '2001:db8::',
    '2001:DB8:0:0:1::1',
    '1:2:3:4:5:6:7:8',
    '::ffff:10.1.2.3',
    '::10.1.2.3',
    'fe80::1',
    '64:ff9b::192.0.2.33',
  ];
  const names = addresses.map((value) => ({ type: 'ip', value }) as const);
  const { cert } = oddCertificate(ca, { role: { type: 'leaf', extendedKeyUsages: ['serverAuth'], names } });
  const certificate = new X509Certificate(cert);
  for (const address of addresses) {
    t.equal(certificate.checkIP(address), address);
    t.match(openssl(['x509', '-noout', '-checkip', address], cert).toString(), /does match/, address);
  }
  t.equal(certificate.checkIP('10.1.2.3'), undefined);
});

t.test('distinguished names are read back, and only in the form they are written', async (t) => {
  const name = [
    { type: 'O', value: 'jetbridge.internal' },
    { type: 'OU', value: 'workers' },
    { type: 'CN', value: 'ü' },
  ] as const;
  t.strictSame(decodeDistinguishedName(encodeDistinguishedName(name)), name);
  const cn = (tag: number, bytes: Buffer) => sequence(oid('2.5.4.3'), primitive(tag, bytes));
  for (const odd of [
    sequence(constructed(TAG.set, cn(0x13, Buffer.from('printable')))),
    sequence(constructed(TAG.set, cn(TAG.utf8String, Buffer.of(0xff)))),
    sequence(constructed(TAG.set, cn(TAG.utf8String, Buffer.from('a')), cn(TAG.utf8String, Buffer.from('b')))),
    sequence(constructed(TAG.set)),
    sequence(constructed(TAG.set, sequence(oid('2.5.4.6'), primitive(TAG.utf8String, Buffer.from('XX'))))),
    constructed(TAG.set),
  ]) {
    t.match(
      attempt(() => decodeDistinguishedName(odd)),
      INVALID,
    );
  }
  t.match(
    attempt(() => encodeDistinguishedName([{ type: 'CN', value: 'a'.repeat(65) }])),
    INVALID,
  );
  t.match(
    attempt(() => encodeDistinguishedName([{ type: 'CN', value: '' }])),
    INVALID,
  );
});

t.test('subject alternative names are bounded, of known types, and printable', async (t) => {
  const uri = { type: 'uri', value: 'spiffe://a/b/c' } as const;
  t.strictSame(decodeSubjectNames(encodeSubjectNames([uri])), [uri]);
  t.match(
    attempt(() => encodeSubjectNames([])),
    INVALID,
  );
  t.match(
    attempt(() => encodeSubjectNames(Array.from({ length: 33 }, () => uri))),
    INVALID,
  );
  t.match(
    attempt(() => decodeSubjectNames(sequence())),
    INVALID,
  );
  t.match(
    attempt(() => decodeSubjectNames(sequence(primitive(contextPrimitive(1), Buffer.from('a@b'))))),
    INVALID,
    'an email address',
  );
  t.match(
    attempt(() => decodeSubjectNames(sequence(constructed(contextConstructed(0), oid('1.2.3'))))),
    INVALID,
    'another name',
  );
  t.match(
    attempt(() => decodeSubjectNames(sequence(primitive(contextPrimitive(2), Buffer.from('a.com\0.b'))))),
    INVALID,
    'a NUL',
  );
});
