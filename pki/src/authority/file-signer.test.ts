import { createPublicKey, randomBytes, verify } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { temporaryDirectory } from '../fixture.ts';
import { createFileSigner, openFileSigner } from './file-signer.ts';

const kek = randomBytes(32);
const DOES_NOT_OPEN = { code: 'failed_precondition', message: /does not open/ };

async function sealedKey(t: Test): Promise<{ path: string; kek: Buffer; purpose: string; randomBytes: typeof randomBytes }> {
  const file = { path: join(temporaryDirectory(t), 'root.key'), kek, purpose: 'jetbridge/root', randomBytes };
  await createFileSigner(file);
  return file;
}

t.test('a sealed key opens, signs, and does not show itself', async (t) => {
  const file = await sealedKey(t);
  const signer = await openFileSigner(file);
  const key = createPublicKey({ key: signer?.publicKeySpki ?? Buffer.alloc(0), format: 'der', type: 'spki' });
  t.ok(verify('sha256', Buffer.from('x'), key, signer?.sign(Buffer.from('x')) ?? Buffer.alloc(0)));
  t.strictSame(Object.keys(signer ?? {}).sort(), ['publicKeySpki', 'sign']);
  t.equal(statSync(file.path).mode & 0o7777, 0o600);
  const sealed = readFileSync(file.path);
  t.notOk(sealed.includes(signer?.publicKeySpki.subarray(-64) ?? ''), 'nothing of the key is in the clear');
});

t.test('no file is no signer; an existing file is never overwritten', async (t) => {
  const file = await sealedKey(t);
  t.equal(await openFileSigner({ ...file, path: `${file.path}.other` }), undefined);
  const before = readFileSync(file.path);
  await t.rejects(createFileSigner(file), { code: 'already_exists' });
  t.strictSame(readFileSync(file.path), before);
});

t.test('another KEK, another purpose', async (t) => {
  const file = await sealedKey(t);
  await t.rejects(openFileSigner({ ...file, kek: randomBytes(32) }), DOES_NOT_OPEN);
  await t.rejects(openFileSigner({ ...file, purpose: 'jetbridge/workers-ca' }), DOES_NOT_OPEN);
  for (const bytes of [0, 16, 31, 33]) {
    await t.rejects(openFileSigner({ ...file, kek: Buffer.alloc(bytes) }), { code: 'invalid_argument', message: /must have 32 bytes/ });
  }
});

t.test('every changed byte is noticed, and so is a shortened tag', async (t) => {
  const file = await sealedKey(t);
  const sealed = readFileSync(file.path);
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    writeFileSync(file.path, changed);
    await t.rejects(openFileSigner(file), at < 4 ? { code: 'data_loss' } : DOES_NOT_OPEN);
  }
  for (const length of [0, 4, 16, 32, sealed.length - 12, sealed.length - 4, sealed.length - 1]) {
    writeFileSync(file.path, sealed.subarray(0, length));
    await t.rejects(openFileSigner(file), { code: length <= 32 ? 'data_loss' : 'failed_precondition' }, `${length} bytes`);
  }
});

t.test('a key that others can read is refused', async (t) => {
  const file = await sealedKey(t);
  chmodSync(file.path, 0o644);
  await t.rejects(openFileSigner(file), { code: 'failed_precondition', message: /mode 0600/ });
});
