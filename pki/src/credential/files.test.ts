import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { attempt, serviceCredential, temporaryDirectory, testAuthority, workerCredential } from '../fixture.ts';
import { credentialOf } from './credential.ts';
import { loadCredential, saveCredential } from './files.ts';

const authority = await testAuthority(t);
const worker = workerCredential(authority);

t.test('a credential is saved, loaded and replaced', async (t) => {
  const directory = join(temporaryDirectory(t), 'credential');
  t.equal(await loadCredential(directory), undefined);
  await saveCredential(directory, worker);
  t.strictSame(await loadCredential(directory), worker);
  const gateway = serviceCredential(authority, 'gateway');
  await saveCredential(directory, gateway);
  t.strictSame(await loadCredential(directory), gateway);
  const [file, ...others] = readdirSync(directory);
  t.strictSame([file, others], ['credential.json', []]);
  t.equal(statSync(directory).mode & 0o7777, 0o700);
  t.equal(statSync(join(directory, 'credential.json')).mode & 0o7777, 0o600);
});

t.test('a damaged credential, or one that others can read, is an error and not "none"', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'credential.json');
  await saveCredential(directory, worker);
  const saved = readFileSync(path, 'utf8');
  for (const damaged of ['', '{}', 'null', '[]', saved.slice(0, -20), saved.replace('BEGIN CERTIFICATE', 'BEGIN NOTHING')]) {
    writeFileSync(path, damaged);
    await t.rejects(loadCredential(directory), { code: 'data_loss', message: /enroll again/ });
  }
  writeFileSync(path, saved);
  chmodSync(path, 0o640);
  await t.rejects(loadCredential(directory), { code: 'failed_precondition', message: /mode 0600/ });
  chmodSync(path, 0o600);
  chmodSync(directory, 0o755);
  await t.rejects(loadCredential(directory), { code: 'failed_precondition', message: /mode 0700/ });
});

t.test('parts that do not belong together make no credential', async (t) => {
  const other = workerCredential(authority);
  const foreign = workerCredential(await testAuthority(t));
  const [leaf = '', issuing = ''] = worker.certificateChainPem.split(/(?<=END CERTIFICATE-----\n)/);
  for (const [what, parts] of [
    ['the key of another', { ...worker, privateKeyPem: other.privateKeyPem }],
    ['the roots of another authority', { ...worker, bundlePem: foreign.bundlePem }],
    ['no issuing certificate', { ...worker, certificateChainPem: leaf }],
    ['no leaf', { ...worker, certificateChainPem: issuing }],
    ['the wrong order', { ...worker, certificateChainPem: issuing + leaf }],
    ['a certificate too many', { ...worker, certificateChainPem: leaf + issuing + authority.bundlePem }],
    [
      'the issuing certificate of another authority',
      { ...worker, certificateChainPem: leaf + foreign.certificateChainPem.slice(leaf.length) },
    ],
  ] as const) {
    t.match(
      attempt(() => credentialOf(parts)),
      { code: /failed_precondition|invalid_argument/ },
      what,
    );
  }
  t.match(
    credentialOf({ ...worker, bundlePem: foreign.bundlePem + authority.bundlePem }),
    { identity: worker.identity },
    'a bundle may hold several roots',
  );
});
