import { ECDH, sign } from 'node:crypto';
import t, { type Test } from 'tap';
import { createCsr } from './credential/csr.ts';
import { generateKeyPair } from './credential/keys.ts';
import { attempt, openssl, signerOf, temporaryDirectory } from './fixture.ts';
import { CSR_MAX_BYTES } from './limits.ts';
import {
  bitString,
  childrenOf,
  constructed,
  contextConstructed,
  type DerNode,
  decodeDer,
  encodeDer,
  oid,
  primitive,
  sequence,
  TAG,
} from './x509.ts';
import { decodeCsr } from './x509-csr.ts';
import { decodePem, encodePem } from './x509-pem.ts';
import { encodeSigned } from './x509-signed.ts';

const keys = generateKeyPair();
const pem = createCsr(keys.privateKeyPem);
const der = derOf(pem);

function derOf(csrPem: string): Buffer {
  return decodePem('CERTIFICATE REQUEST', csrPem, 1, 100_000)[0] ?? Buffer.alloc(0);
}

function pemOf(bytes: Buffer): string {
  return encodePem('CERTIFICATE REQUEST', bytes);
}

function refused(t: Test, csr: string | Buffer, reason: RegExp, what: string): void {
  t.match(
    attempt(() => decodeCsr(typeof csr === 'string' ? csr : pemOf(csr))),
    { code: 'invalid_argument', message: reason },
    what,
  );
}

/** A request whose body is taken apart and put together again, signed with the key that belongs to it. */
function rebuilt(change: (parts: readonly DerNode[]) => readonly DerNode[]): Buffer {
  const [body] = childrenOf(decodeDer(der, CSR_MAX_BYTES), TAG.sequence);
  return encodeSigned(sequence(...change(childrenOf(body, TAG.sequence))), signerOf(keys.privateKeyPem));
}

t.test('a request of ours is read, by us and by OpenSSL', async (t) => {
  t.strictSame(decodeCsr(pem), keys.publicKeySpki);
  t.match(openssl(['req', '-noout', '-verify', '-text'], pem).toString(), /Subject: *\n[\s\S]*prime256v1/);
  t.strictSame(decodeCsr(pem.replaceAll('\n', '\r\n')), keys.publicKeySpki);
});

t.test('what a request asks for is ignored', async (t) => {
  const directory = temporaryDirectory(t);
  const csr = openssl([
    ...[
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      `${directory}/key.pem`,
      '-subj',
      '/CN=admin/O=other/emailAddress=a@b.c',
    ],
    ...[
      '-addext',
      'subjectAltName=URI:spiffe://jetbridge.internal/gateway/x,DNS:example.com',
      '-addext',
      'basicConstraints=critical,CA:true',
    ],
  ]).toString();
  const publicKey = openssl(['pkey', '-in', `${directory}/key.pem`, '-pubout', '-outform', 'DER']);
  t.strictSame(decodeCsr(csr), publicKey, 'the public key and nothing else comes out');
});

t.test('proof of possession', async (t) => {
  const other = generateKeyPair();
  const unmatched = /signature does not match/;
  refused(t, rebuiltBy(signerOf(other.privateKeyPem)), unmatched, 'signed with another key');
  refused(
    t,
    rebuilt(([version, subject, , attributes]) => [version, subject, decodeDer(other.publicKeySpki, 200), attributes] as DerNode[]),
    unmatched,
    "somebody else's key",
  );
  refused(
    t,
    rebuiltBy(() => Buffer.alloc(0)),
    unmatched,
    'no signature',
  );
  refused(
    t,
    rebuiltBy(() => Buffer.from('3006020100020100', 'hex')),
    unmatched,
    'r = s = 0',
  );
  refused(
    t,
    rebuiltBy(() => Buffer.alloc(64, 1)),
    unmatched,
    'not a DER signature',
  );
  const replayed = rebuilt((parts) => [...parts.slice(0, 3), constructed(contextConstructed(0), sequence(oid('1.2.3')))]);
  const [body] = childrenOf(decodeDer(replayed, CSR_MAX_BYTES), TAG.sequence);
  const [, algorithm, signature] = childrenOf(decodeDer(der, CSR_MAX_BYTES), TAG.sequence);
  refused(t, encodeDer(sequence(...([body, algorithm, signature] as DerNode[]))), unmatched, 'attributes added to a signed request');
});

function rebuiltBy(signer: (bytes: Buffer) => Buffer): Buffer {
  const [body] = childrenOf(decodeDer(der, CSR_MAX_BYTES), TAG.sequence);
  return encodeSigned(body as DerNode, signer);
}

t.test('a signature with SHA-1 or under another name', async (t) => {
  const [body] = childrenOf(decodeDer(der, CSR_MAX_BYTES), TAG.sequence) as [DerNode];
  const signed = (algorithm: DerNode, digest: string) =>
    encodeDer(sequence(body, algorithm, bitString(sign(digest, encodeDer(body), keys.privateKeyPem))));
  const only = /only ecdsa-with-SHA256/;
  refused(t, signed(sequence(oid('1.2.840.10045.4.1')), 'sha1'), only, 'ecdsa-with-SHA1');
  refused(t, signed(sequence(oid('1.2.840.10045.4.3.3')), 'sha384'), only, 'ecdsa-with-SHA384');
  refused(t, signed(sequence(oid('1.2.840.10045.4.3.2'), primitive(5, Buffer.alloc(0))), 'sha256'), only, 'with parameters');
  refused(t, signed(sequence(oid('1.2.840.10045.4.3.2')), 'sha1'), /signature does not match/, 'SHA-1 under the name of SHA-256');
});

t.test('other keys', async (t) => {
  const directory = temporaryDirectory(t);
  const make = (...newkey: readonly string[]) =>
    openssl(['req', '-new', '-sha256', '-nodes', '-keyout', `${directory}/key.pem`, '-subj', '/CN=x', '-newkey', ...newkey]).toString();
  refused(t, make('rsa:1024'), /malformed/, 'RSA 1024');
  refused(t, make('rsa:2048'), /malformed/, 'RSA 2048');
  refused(t, make('ed25519'), /malformed/, 'Ed25519');
  const p256Only = /only P-256/;
  for (const curve of ['P-384', 'P-521', 'P-224', 'secp256k1', 'brainpoolP256r1']) {
    refused(t, make('ec', '-pkeyopt', `ec_paramgen_curve:${curve}`), p256Only, curve);
  }
  refused(
    t,
    make('ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit'),
    p256Only,
    'P-256 with explicit parameters',
  );
  const point = ECDH.convertKey(keys.publicKeySpki.subarray(-65), 'prime256v1', undefined, undefined, 'compressed') as Buffer;
  const spki = sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')), bitString(point));
  const compressed = rebuilt(([version, subject, , attributes]) => [version, subject, spki, attributes] as DerNode[]);
  t.doesNotThrow(() => openssl(['req', '-noout', '-verify'], pemOf(compressed)), 'OpenSSL takes it');
  refused(t, compressed, p256Only, 'a compressed point');
});

t.test('points that are not on the curve', async (t) => {
  const prefix = keys.publicKeySpki.subarray(0, -64);
  const x = keys.publicKeySpki.subarray(-64, -32);
  for (const [what, point] of [
    ['y of another point', Buffer.concat([x, generateKeyPair().publicKeySpki.subarray(-32)])],
    ['zero', Buffer.alloc(64)],
    ['beyond the field', Buffer.alloc(64, 0xff)],
  ] as const) {
    const spki = decodeDer(Buffer.concat([prefix, point]), 200);
    refused(
      t,
      rebuilt(([version, subject, , attributes]) => [version, subject, spki, attributes] as DerNode[]),
      /not a point on the curve/,
      what,
    );
  }
});

t.test('shapes that are not a PKCS#10 request', async (t) => {
  refused(t, Buffer.concat([der, Buffer.of(0)]), /malformed/, 'trailing byte');
  refused(t, Buffer.concat([der, der]), /malformed/, 'two requests');
  for (let length = 0; length < der.length; length += 1) {
    refused(t, der.subarray(0, length), /malformed/, `cut off after ${length} bytes`);
  }
  refused(t, encodeDer(sequence(decodeDer(der, CSR_MAX_BYTES))), /malformed/, 'nested in a sequence');
  refused(t, encodeDer(primitive(TAG.octetString, der)), /malformed/, 'wrapped in an octet string');
  refused(
    t,
    rebuilt((parts) => parts.slice(0, 3)),
    /malformed/,
    'no attributes',
  );
  refused(
    t,
    rebuilt((parts) => [...parts, sequence()]),
    /malformed/,
    'a field too many',
  );
  refused(
    t,
    rebuilt(([, ...parts]) => [primitive(TAG.integer, Buffer.of(1)), ...parts]),
    /shape of a PKCS#10/,
    'version 2',
  );
  const [body, algorithm, signature] = childrenOf(decodeDer(der, CSR_MAX_BYTES), TAG.sequence) as [DerNode, DerNode, DerNode];
  refused(t, encodeDer(sequence(body, algorithm, signature, signature)), /malformed/, 'two signatures');
  t.match(
    attempt(() => decodeCsr(encodePem('CERTIFICATE', der))),
    { code: 'invalid_argument' },
    'called a certificate',
  );
});

t.test('object identifiers that no number holds', async (t) => {
  const [body, , signature] = childrenOf(decodeDer(der, CSR_MAX_BYTES), TAG.sequence) as [DerNode, DerNode, DerNode];
  for (const content of ['', '2a', '2a80', '2affffffffffffffffff7f', '2a90808080807f']) {
    const algorithm = sequence(primitive(TAG.oid, Buffer.from(content, 'hex')));
    refused(t, encodeDer(sequence(body, algorithm, signature)), /malformed/, content);
  }
});

t.test('bombs cost nothing', async (t) => {
  refused(t, 'A'.repeat(50_000_000), /too long/, 'text');
  refused(t, Buffer.alloc(CSR_MAX_BYTES + 1, 0x30), /longer than/, 'one byte over the bound');
  refused(t, Buffer.from('3084ffffffff3000', 'hex'), /malformed/, 'a length of 4 GB');
  refused(t, Buffer.alloc(CSR_MAX_BYTES, 0x30), /malformed/, 'nesting');
  refused(t, Buffer.from(`3082${(4000).toString(16).padStart(4, '0')}${'3000'.repeat(2000)}`, 'hex'), /malformed/, 'many values');
});

t.test('PEM has one block and nothing else', async (t) => {
  for (const [what, text] of [
    ['empty', ''],
    ['DER', der.toString('latin1')],
    ['text before', `x\n${pem}`],
    ['text after', `${pem}x`],
    ['two blocks', pem + pem],
    ['headers', pem.replace('\n', '\nProc-Type: 4,ENCRYPTED\n\n')],
    ['the old label', pem.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST')],
    ['no end', pem.slice(0, pem.indexOf('-----END'))],
    ['spaces in base64', pem.replace('MI', 'M I')],
    ['base64url', pem.replace('MI', 'M-')],
    ['an empty block', '-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----'],
    ['a NUL', `${pem}\0`],
  ] as const) {
    refused(t, text, /malformed/, what);
  }
});
