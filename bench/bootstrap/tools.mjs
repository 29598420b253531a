// Installs what the bench needs beside npm's packages into bench/.tools (git-ignored). Idempotent: a part whose inputs have not changed is
// not touched again. A part that cannot be had is recorded with its reason; the peers that need it are reported as missing.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const bench = fileURLToPath(new URL('..', import.meta.url));
const toolsDirectory = join(bench, '.tools');
const dataDirectory = join(bench, '.data');
const recordFile = join(toolsDirectory, 'installed.json');
const asRoot = process.getuid?.() === 0;

/** Each part: the files that decide its content, the tools it cannot do without, and how it is made. */
const parts = {
  python: { inputs: ['clients/python/requirements.txt'], tools: ['python3'], make: makePython },
  go: { inputs: ['clients/go'], tools: ['go'], make: makeGo },
  jdbc: { inputs: ['clients/jdbc'], tools: ['java', 'mvn'], make: makeJdbc },
  servers: { inputs: ['bootstrap/tools.mjs'], tools: [], make: makeServers },
};

async function makePython(run) {
  const venv = join(toolsDirectory, 'python');
  rmSync(venv, { recursive: true, force: true });
  await run('python3', ['-m', 'venv', venv]);
  const python = join(venv, 'bin', 'python');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:'];
  await run(python, [...pip, '-r', join(bench, 'clients/python/requirements.txt')]);
  return { python };
}

/** Every main package of the module, by the name of its folder. */
async function makeGo(run) {
  const directory = join(toolsDirectory, 'go');
  mkdirSync(directory, { recursive: true });
  await run('go', ['build', '-mod=readonly', '-o', `${directory}/`, './...'], join(bench, 'clients/go'));
  const built = { goLoad: join(directory, 'load'), goProxy: join(directory, 'proxy'), goSqlite: join(directory, 'sqlite') };
  return Object.fromEntries(Object.entries(built).filter(([, path]) => existsSync(path)));
}

async function makeJdbc(run) {
  const directory = join(toolsDirectory, 'jdbc');
  await run('mvn', ['-q', '-B', `-Dclients.directory=${directory}`, '-f', join(bench, 'clients/jdbc/pom.xml'), 'package']);
  return { jdbcClasspath: [join(directory, 'classes'), join(directory, 'lib', '*')].join(delimiter) };
}

async function makeServers(run) {
  const wanted = [];
  if (onPath('nginx') === undefined) {
    wanted.push('nginx');
  }
  if (stunnel() === undefined) {
    wanted.push('stunnel4');
  }
  if (postgresDirectory() === undefined) {
    wanted.push('postgresql');
  }
  if (wanted.length > 0 && asRoot && onPath('apt-get') !== undefined) {
    // RUNLEVEL keeps the packages from starting their services.
    const environment = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    await run('apt-get', ['update', '-q'], undefined, environment);
    await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...wanted], undefined, environment);
  }
  return foundServers();
}

/** What the machine has, whoever installed it. */
function foundServers() {
  const found = {
    nginx: onPath('nginx'),
    stunnel: stunnel(),
    postgresDirectory: postgresDirectory(),
    gizmosql: onPath('gizmosql_server'),
  };
  return Object.fromEntries(Object.entries(found).filter(([, path]) => path !== undefined));
}

const stunnel = () => onPath('stunnel') ?? onPath('stunnel4');

function postgresDirectory() {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const directories = [...versions.map((version) => join(root, version, 'bin')), dirname(onPath('initdb') ?? '/')];
  return directories.find((directory) => existsSync(join(directory, 'initdb')) && existsSync(join(directory, 'postgres')));
}

// Servers live in sbin, which is not on everybody's path.
function onPath(tool) {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return directories.map((directory) => join(directory, tool)).find((path) => existsSync(path) && statSync(path).isFile());
}

/** A tool is there only if it runs: a version-switching shim on the PATH may have nothing behind it. */
function runs(tool) {
  return onPath(tool) !== undefined && spawnSync(tool, [tool === 'go' ? 'version' : '--version'], { stdio: 'ignore' }).status === 0;
}

function contentHash(inputs) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${toolsDirectory}`);
  for (const input of inputs) {
    hashPath(hash, join(bench, input));
  }
  return hash.digest('hex');
}

function hashPath(hash, path) {
  if (!existsSync(path)) {
    return;
  }
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path).sort()) {
      hashPath(hash, join(path, name));
    }
    return;
  }
  hash.update(`\n${relative(bench, path)}\n`).update(readFileSync(path));
}

function readRecord() {
  try {
    return JSON.parse(readFileSync(recordFile, 'utf8'));
  } catch {
    return {};
  }
}

/** Runs a command with its output in a log file; the end of that file is the error message. */
function runner(name) {
  const logFile = join(toolsDirectory, `${name}.log`);
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
  const startedAt = Date.now();
  try {
    const absent = inputs.filter((input) => !existsSync(join(bench, input)));
    if (absent.length > 0) {
      throw new Error(`bench/${absent.join(', bench/')} is not there`);
    }
    const missing = tools.filter((tool) => !runs(tool));
    if (missing.length > 0) {
      throw new Error(`this machine has no working ${missing.join(' and no ')}`);
    }
    process.stderr.write(`bench tools: ${name}: installing\n`);
    record[name] = { hash, installed: await make(runner(name)) };
    process.stderr.write(`bench tools: ${name}: done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s\n`);
  } catch (error) {
    record[name] = { reason: error.message };
    process.stderr.write(`bench tools: ${name}: NOT INSTALLED: ${error.message}\n`);
  }
}

/** Installs what is missing and answers where everything is; `.tools/installed.json` says the same to the bench itself. */
export async function ensureTools() {
  mkdirSync(toolsDirectory, { recursive: true });
  const record = readRecord();
  await Promise.all(Object.keys(parts).map((name) => install(name, record)));
  record.servers = { ...record.servers, installed: { ...record.servers?.installed, ...foundServers() } };
  writeFileSync(`${recordFile}.new`, `${JSON.stringify(record, undefined, 2)}\n`);
  renameSync(`${recordFile}.new`, recordFile);
  return Object.assign({}, ...Object.values(record).map(({ installed }) => installed));
}

/** TPC-H at scale factor 1, generated once. */
export async function ensureData({ python }) {
  const doneFile = join(dataDirectory, 'generated');
  const hash = contentHash(['clients/python/generate.py']);
  if (existsSync(doneFile) && readFileSync(doneFile, 'utf8') === hash) {
    return;
  }
  if (python === undefined) {
    throw new Error('the data is made by Python, which this machine does not have');
  }
  process.stderr.write('bench data: generating TPC-H at scale factor 1; this takes about a minute, once\n');
  mkdirSync(dataDirectory, { recursive: true });
  await runner('data')(python, ['-B', join(bench, 'clients/python/generate.py'), dataDirectory]);
  writeFileSync(doneFile, hash);
}
