import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { temporaryDirectory } from './fixture.ts';
import { createPrivateFile, readPrivateFile, replacePrivateFile, requirePrivateDirectory } from './private-file.ts';

const NOT_PRIVATE = { code: 'failed_precondition', message: /owned by this user with mode 0[67]00/ };
const bytes = Buffer.from('secret');

function modeOf(path: string): string {
  return (statSync(path).mode & 0o7777).toString(8);
}

t.test('a directory is made private, and one that others can enter is refused', async (t) => {
  const directory = join(temporaryDirectory(t), 'a', 'b');
  await requirePrivateDirectory(directory);
  t.equal(modeOf(directory), '700');
  await requirePrivateDirectory(directory);
  chmodSync(directory, 0o750);
  await t.rejects(requirePrivateDirectory(directory), NOT_PRIVATE);
});

t.test('a directory that is a link, or a file, is refused', async (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'real'), { mode: 0o700 });
  symlinkSync(join(directory, 'real'), join(directory, 'link'));
  await t.rejects(requirePrivateDirectory(join(directory, 'link')), NOT_PRIVATE);
});

t.test('a file is created with mode 0600 and never overwritten', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'key');
  await createPrivateFile(path, bytes);
  t.equal(modeOf(path), '600');
  t.strictSame(await readPrivateFile(path, 100), bytes);
  await t.rejects(createPrivateFile(path, Buffer.from('other')), { code: 'already_exists' });
  t.strictSame(readFileSync(path), bytes);
  t.strictSame(readdirSync(directory), ['key'], 'nothing is left beside it');
});

t.test('a file is not created through a link', async (t) => {
  const directory = temporaryDirectory(t);
  symlinkSync(join(directory, 'elsewhere'), join(directory, 'key'));
  await t.rejects(createPrivateFile(join(directory, 'key'), bytes), { code: 'already_exists' });
  t.strictSame(readdirSync(directory), ['key']);
});

t.test('of two creators one wins', async (t) => {
  const path = join(temporaryDirectory(t), 'key');
  const outcomes = await Promise.allSettled([1, 2, 3, 4].map((n) => createPrivateFile(path, Buffer.from([n]))));
  t.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  const winner = outcomes.findIndex(({ status }) => status === 'fulfilled') + 1;
  t.strictSame(readFileSync(path), Buffer.from([winner]));
});

t.test('a file is replaced in one step; a link in its place is replaced, not followed', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'credential');
  writeFileSync(join(directory, 'elsewhere'), 'untouched', { mode: 0o644 });
  symlinkSync(join(directory, 'elsewhere'), path);
  await replacePrivateFile(path, bytes);
  t.equal(modeOf(path), '600');
  t.strictSame(readFileSync(path), bytes);
  t.equal(readFileSync(join(directory, 'elsewhere'), 'utf8'), 'untouched');
  t.strictSame(readdirSync(directory).sort(), ['credential', 'elsewhere']);
});

t.test('a failed write leaves nothing behind', async (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'credential'));
  await t.rejects(replacePrivateFile(join(directory, 'credential'), bytes));
  t.strictSame(readdirSync(directory), ['credential']);
});

t.test('reading: a missing file is undefined; links, directories, open modes and large files are refused', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'key');
  t.equal(await readPrivateFile(path, 100), undefined);
  writeFileSync(path, bytes, { mode: 0o600 });
  symlinkSync(path, join(directory, 'link'));
  await t.rejects(readPrivateFile(join(directory, 'link'), 100), NOT_PRIVATE);
  await t.rejects(readPrivateFile(directory, 100), NOT_PRIVATE);
  await t.rejects(readPrivateFile(path, 5), { code: 'data_loss', message: /larger than 5 bytes/ });
  for (const mode of [0o640, 0o604, 0o620]) {
    chmodSync(path, mode);
    await t.rejects(readPrivateFile(path, 100), NOT_PRIVATE);
  }
});
