import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { repositoryRoot } from './runtime.mjs';

const lockFile = join(repositoryRoot, 'package-lock.json');
const markerFile = join(repositoryRoot, 'node_modules', '.jetbridge-lock');
// npm's own record of what is in node_modules; it appears when an installation is complete.
const installedFile = join(repositoryRoot, 'node_modules', '.package-lock.json');

const PROGRESS_INTERVAL_MS = 5000;

/**
 * Makes node_modules what the lock file says; does nothing when it is already. `tools: false` leaves out what only checks and tests need,
 * two thirds of the packages, and accepts an installation that has them.
 */
export async function ensureInstalled({ tools }) {
  const lock = readFileSync(lockFile);
  const hash = createHash('sha256').update(lock).digest('hex');
  const marks = tools ? [hash] : [hash, `${hash} without tools`];
  if (marks.includes(readOr(markerFile, '')) && readOr(installedFile, '') !== '') {
    return;
  }
  const complete = installedAsLocked(JSON.parse(lock.toString('utf8')), tools);
  if (!complete) {
    await install(tools ? [] : ['--omit=dev']);
  }
  writeFileSync(markerFile, marks.at(-1));
}

function readOr(file, fallback) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return fallback;
  }
}

/** True when someone has run `npm install` or `npm ci` by hand since the lock file changed. */
function installedAsLocked(lock, tools) {
  const installed = JSON.parse(readOr(installedFile, '{}')).packages;
  if (installed === undefined) {
    return false;
  }
  const locked = Object.entries(lock.packages).filter(([path]) => path.includes('node_modules/'));
  const complete = locked.every(([path, entry]) => (path in installed ? same(installed[path], entry) : dispensable(entry, tools)));
  return complete && Object.keys(installed).every((path) => !path.includes('node_modules/') || path in lock.packages);
}

function dispensable(entry, tools) {
  return entry.optional === true || entry.devOptional === true || (!tools && entry.dev === true);
}

function same(one, other) {
  return one.version === other.version && one.integrity === other.integrity && one.link === other.link;
}

async function install(options) {
  const startedAt = Date.now();
  const say = (text) => process.stderr.write(`${text}\n`);
  say('Installing dependencies with npm ci. The first time, this downloads some hundred megabytes.');
  const progress = setInterval(() => say(`  still installing, ${Math.round((Date.now() - startedAt) / 1000)} s`), PROGRESS_INTERVAL_MS);
  try {
    await npmCi(options);
  } finally {
    clearInterval(progress);
  }
  say(`Installed in ${Math.round((Date.now() - startedAt) / 1000)} s.`);
}

function npmCi(options) {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', ['ci', ...options, '--no-fund', '--no-audit', '--loglevel=error'], {
      cwd: repositoryRoot,
      // npm's report belongs with the progress: standard output is for what the command prints.
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
      env: { ...process.env, PATH: pathWithoutNodeModules() },
    });
    child.once('error', (error) => reject(new Error(`npm could not be started: ${error.message}`, { cause: error })));
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`npm ci failed with exit code ${code}; see above`))));
  });
}

/** npm must not run on a Node that it is about to remove. */
function pathWithoutNodeModules() {
  const entries = (process.env.PATH ?? '').split(delimiter);
  return entries.filter((entry) => !entry.includes('node_modules')).join(delimiter);
}
