import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import { REPOSITORY } from './planted-repository.ts';

const SOURCES = globSync('{proto,pki,gateway,worker,control-api,cli,bench,test}/**/*.{ts,mjs,js}', {
  cwd: REPOSITORY,
  exclude: (path) => /node_modules|^dist$|\.clients|jetbridge-data/.test(path),
}).filter((file) => !/(^|\/)(dist|node_modules|\.clients)\//.test(file));

// Names that say nothing about what they name, wherever they stand in it …
const EMPTY_WORDS = 'manager|managers|util|utils|helper|helpers|common|misc';
// … and those that say nothing alone. Flight's own FlightInfo and SqlInfo are words of their specification.
const EMPTY_ALONE = `${EMPTY_WORDS}|data|info`;

t.test('no file is named after nothing', async (t) => {
  t.ok(SOURCES.length > 100);
  const word = new RegExp(`(^|[-.])(${EMPTY_WORDS})([-.]|$)`);
  const alone = new RegExp(`^(${EMPTY_ALONE})\\.`);
  t.same(
    SOURCES.filter((file) => word.test(basename(file)) || alone.test(basename(file)) || /\/(common|utils?|helpers?|misc)\//.test(file)),
    [],
  );
});

t.test('nothing declared is named after nothing', async (t) => {
  const declaration = new RegExp(
    `\\b(?:const|let|function|class|interface|type) (?:${EMPTY_ALONE}|\\w*(?:Manager|Utils?|Helpers?))\\b`,
    'g',
  );
  const found = SOURCES.filter((file) => !file.startsWith('test/architecture/')).flatMap((file) =>
    Array.from(readFileSync(join(REPOSITORY, file), 'utf8').matchAll(declaration), ([text]) => `${file}: ${text}`),
  );
  t.same(found, []);
});
