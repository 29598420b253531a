import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { repositoryRoot } from '../harness/command.ts';

const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md'];
/** Documents of which every name in code style is checked; the others may show commands and configuration. */
const NAMED_CODE = ['ARCHITECTURE.md'];

const TOP_LEVEL = /^(?:bench|charts|cli|control-api|docs|gateway|pki|proto|test|worker|\.ci)\//;
// Made at run time, not kept in the repository.
const MADE = /^(?:jetbridge-data|node_modules|dist)\b|\/dist\/|\.clients/;

interface Mention {
  readonly line: number;
  readonly text: string;
}

for (const document of DOCUMENTS) {
  t.test(document, async (t) => {
    const path = join(repositoryRoot, document);
    t.ok(existsSync(path), 'exists');
    if (!existsSync(path)) {
      return;
    }
    const text = readFileSync(path, 'utf8');
    for (const { line, text: target } of links(text)) {
      t.ok(existsSync(join(repositoryRoot, target)), `line ${line}: the link to ${target} leads somewhere`);
    }
    for (const { line, text: mentioned } of inlineCode(text)) {
      checkPath(t, line, mentioned);
    }
    if (NAMED_CODE.includes(document)) {
      checkNames(t, text);
    }
  });
}

/** Inline code that reads like a path of this repository must be one; a glob or a folder counts. */
function checkPath(t: { ok(found: unknown, name: string): boolean }, line: number, mentioned: string): void {
  const path = mentioned.replace(/:\d+$/, '').replace(/\/$/, '');
  if (TOP_LEVEL.test(`${path}/`) && path.includes('/') && !/[\s*<>{}$…]/.test(path) && !MADE.test(path)) {
    t.ok(existsSync(join(repositoryRoot, path)), `line ${line}: ${path} exists`);
  }
}

/** A line that names `a/file.ts` and `name()` or `Name` in code style promises that the file holds the name. */
function checkNames(t: { ok(found: unknown, name: string): boolean }, text: string): void {
  for (const [index, line] of text.split('\n').entries()) {
    const mentions = [...line.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
    const files = mentions.filter(
      (mention) => /^[\w./-]+\.(?:ts|js|mjs|proto|py)$/.test(mention) && existsSync(join(repositoryRoot, mention)),
    );
    const names = mentions.filter(
      (mention) => /^[A-Za-z_]\w*(?:\(\))?$/.test(mention) && (/\(\)$/.test(mention) || /[a-z][A-Z]/.test(mention)),
    );
    if (files.length === 0) {
      continue;
    }
    const sources = files.map((file) => readFileSync(join(repositoryRoot, file), 'utf8')).join('\n');
    for (const name of names) {
      const bare = name.replace('()', '');
      t.ok(new RegExp(`\\b${bare}\\b`).test(sources), `line ${index + 1}: ${bare} is in ${files.join(' or ')}`);
    }
  }
}

function inlineCode(text: string): readonly Mention[] {
  return outsideFences(text).flatMap(({ line, text: content }) =>
    [...content.matchAll(/`([^`]+)`/g)].map((match) => ({ line, text: match[1] ?? '' })),
  );
}

function links(text: string): readonly Mention[] {
  return outsideFences(text).flatMap(({ line, text: content }) =>
    [...content.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map((match) => ({ line, text: match[1] ?? '' }))
      .filter((link) => !/^[a-z]+:/.test(link.text)),
  );
}

function outsideFences(text: string): readonly Mention[] {
  let fenced = false;
  return text.split('\n').flatMap((content, index) => {
    if (content.startsWith('```')) {
      fenced = !fenced;
      return [];
    }
    return fenced ? [] : [{ line: index + 1, text: content }];
  });
}
