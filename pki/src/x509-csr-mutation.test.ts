import { createPublicKey, verify } from 'node:crypto';
import { StatusError } from '@jetbridge/proto/status-error';
import t from 'tap';
import { createCsr } from './credential/csr.ts';
import { generateKeyPair } from './credential/keys.ts';
import { attempt, signerOf } from './fixture.ts';
import { CSR_MAX_BYTES } from './limits.ts';
import { bitString, childrenOf, type DerNode, decodeDer, encodeDer, oid, sequence, TAG } from './x509.ts';
import { decodeCsr } from './x509-csr.ts';
import { decodePem, encodePem } from './x509-pem.ts';

const keys = generateKeyPair();
const der = decodePem('CERTIFICATE REQUEST', createCsr(keys.privateKeyPem), 1, CSR_MAX_BYTES)[0] ?? Buffer.alloc(0);

function pemOf(bytes: Buffer): string {
  return encodePem('CERTIFICATE REQUEST', bytes);
}

/** Mulberry32: the same mutations in every run. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) % below;
  };
}

function mutate(bytes: Buffer, random: (below: number) => number): Buffer {
  const at = random(bytes.length);
  switch (random(6)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), Buffer.of(random(256)), bytes.subarray(at)]);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random(4))]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(random(bytes.length))]);
    case 3:
      return changed(bytes, at, [0x00, 0x7f, 0x80, 0x81, 0x84, 0xff, 0x30, 0xa0][random(8)] ?? 0);
    default:
      return changed(bytes, at, (bytes[at] ?? 0) ^ (1 << random(8)));
  }
}

function changed(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
}

t.test('no mutation of a request is accepted, and none breaks the reader', async (t) => {
  const random = seeded(20_250_101);
  let refusals = 0;
  let cases = 0;
  while (cases < 5000) {
    let mutated = mutate(der, random);
    for (let more = random(3); more > 0; more -= 1) {
      mutated = mutate(mutated, random);
    }
    if (!mutated.equals(der)) {
      cases += 1;
      const outcome = attempt(() => decodeCsr(pemOf(mutated)));
      refusals += outcome instanceof StatusError && outcome.code === 'invalid_argument' ? 1 : 0;
    }
  }
  t.equal(refusals, cases);
});

t.test('no mutation of a body that is signed again makes the reader crash or say another key', async (t) => {
  const random = seeded(7);
  const [body] = childrenOf(decodeDer(der, CSR_MAX_BYTES), TAG.sequence) as [DerNode];
  const bytes = encodeDer(body);
  const signer = signerOf(keys.privateKeyPem);
  for (let round = 0; round < 2000; round += 1) {
    const mutated = mutate(bytes, random);
    const signature = encodeDer(bitString(signer(mutated)));
    const algorithm = encodeDer(sequence(oid('1.2.840.10045.4.3.2')));
    const inner = Buffer.concat([mutated, algorithm, signature]);
    const whole = Buffer.concat([Buffer.of(0x30, 0x82, inner.length >> 8, inner.length & 0xff), inner]);
    const outcome = attempt(() => decodeCsr(pemOf(whole)));
    if (!(outcome instanceof StatusError) && !outcome.equals(keys.publicKeySpki)) {
      t.fail('another key was accepted');
    }
  }
  t.ok(verify('sha256', bytes, createPublicKey(keys.privateKeyPem), signer(bytes)), 'the bodies were signed rightly');
});
