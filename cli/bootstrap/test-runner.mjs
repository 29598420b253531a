import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { TapCounter } from './tap-count.mjs';

const CHECKS = [
  ['TypeScript', 'node_modules/typescript/bin/tsc', '-b'],
  [
    'Biome',
    'node_modules/@biomejs/biome/bin/biome',
    'ci',
    '--error-on-warnings',
    process.stdout.isTTY ? '--colors=force' : '--colors=off',
    '.',
  ],
  ['ESLint', 'node_modules/eslint/bin/eslint.js', '--max-warnings=0', '.'],
  ['dependency-cruiser', 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs', '--config', '.dependency-cruiser.cjs', '.'],
  ['knip', 'node_modules/knip/bin/knip.js'],
];
const TAP = 'node_modules/tap/dist/esm/run.mjs';
const UNIT_TESTS = ['*/src/**/*.test.ts', 'test/architecture/**/*.test.ts'];
const SYSTEM_TESTS = ['test/system/**/*.test.ts'];
// Fetches the Python, Java and Go clients, Redis and PostgreSQL.
const CLIENT_INSTALLER = 'test/clients/install.mjs';
// One mesh at a time, and time for the longest: on two cores, tests that compete fail for want of time.
const SYSTEM_TAP_OPTIONS = ['--jobs=1', '--timeout=900'];

const totals = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

function add(counts) {
  for (const kind of Object.keys(totals)) {
    totals[kind] += counts[kind];
  }
}

/** A check is one test. */
function addCheck(name, ok) {
  add({ passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 });
  if (!ok) {
    failures.push(name);
  }
}

function heading(text) {
  process.stdout.write(`\n=== ${text} ===\n`);
}

/** Runs a program on this Node; `onLine` gets its standard output, or nobody. Resolves to whether it ended well. */
function runNode(args, onLine) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', onLine === undefined ? 'inherit' : 'pipe', 'inherit'] });
    if (onLine !== undefined) {
      createInterface({ input: child.stdout }).on('line', onLine);
    }
    child.once('error', reject);
    child.once('close', (code) => resolve(code === 0));
  });
}

async function runCheck(name, args) {
  heading(name);
  const startedAt = performance.now();
  const ok = await runNode(args);
  addCheck(name, ok);
  process.stdout.write(`${ok ? 'ok' : 'FAILED'}: ${name}, ${seconds(startedAt)}\n`);
}

async function runTap(name, patterns, options) {
  const files = patterns.flatMap((pattern) => globSync(pattern, { exclude: (path) => path.includes('node_modules') })).sort();
  heading(`${name}: ${files.length} files`);
  if (files.length === 0) {
    return;
  }
  const counter = new TapCounter();
  const report = new FileReport();
  const ok = await runNode([TAP, '--reporter=tap', ...options, ...files], (line) => report.line(line, counter.line(line)));
  add(counter.counts);
  if (!ok && counter.counts.failed === 0) {
    addCheck(`${name}: tap ended badly`, false);
  }
}

/** One line for a file that passed; everything a file printed when it failed or skipped something. */
class FileReport {
  #lines = [];

  line(text, file) {
    this.#lines.push(text);
    if (file === undefined) {
      return;
    }
    if (file.failed > 0 || file.skipped > 0) {
      process.stdout.write(`${this.#lines.join('\n')}\n`);
    }
    if (file.failed > 0) {
      failures.push(file.name);
    }
    const skipped = file.skipped > 0 ? `, ${file.skipped} skipped` : '';
    process.stdout.write(`${file.failed > 0 ? 'FAILED' : 'ok'}: ${file.name}, ${file.passed} passed, ${file.failed} failed${skipped}\n`);
    this.#lines = [];
  }
}

function seconds(startedAt) {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}

function selectedParts() {
  const { values } = parseArgs({ options: { checks: { type: 'boolean' }, unit: { type: 'boolean' }, system: { type: 'boolean' } } });
  return Object.keys(values).length === 0 ? { checks: true, unit: true, system: true } : values;
}

const parts = selectedParts();
const startedAt = performance.now();

if (parts.checks) {
  for (const [name, ...args] of CHECKS) {
    await runCheck(name, args);
  }
}
// Unit tests compare with Python's Arrow and run on real Redis and PostgreSQL too.
if (parts.unit || parts.system) {
  await runCheck('test clients', [CLIENT_INSTALLER]);
}
if (parts.unit) {
  await runTap('unit tests', UNIT_TESTS, []);
}
if (parts.system) {
  await runTap('system tests', SYSTEM_TESTS, SYSTEM_TAP_OPTIONS);
}

heading(`summary, ${seconds(startedAt)}`);
// On CI a skipped test is a test that did not happen.
const failed = process.env.CI === 'true' ? totals.failed + totals.skipped : totals.failed;
for (const name of new Set(failures)) {
  process.stdout.write(`failed: ${name}\n`);
}
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped\n`);
process.exitCode = failed > 0 ? 1 : 0;
