// Makes what tests and measurements need beside npm's packages: parts, each made of files of one folder (`sources`) into another (`target`),
// which is git-ignored. Idempotent: a part whose inputs have not changed is not touched again. Plain JavaScript: it runs before anything is
// compiled.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';
import { runs } from './machine-programs.mjs';
import { repositoryRoot } from './runtime.mjs';

/**
 * Makes the parts that are missing or out of date, and answers the record of all: by name, `installed` with paths, or the `reason` why there
 * is none. A part has `inputs`, the files that decide its content; `tools`, which it cannot do without; and `make(run)`, which answers paths.
 */
export async function installParts(place, parts, say) {
  mkdirSync(place.target, { recursive: true });
  const record = readRecord(place);
  await Promise.all(Object.entries(parts).map(([name, part]) => install(place, name, part, record, say)));
  writeRecord(place, record);
  return record;
}

async function install(place, name, { inputs, tools, make }, record, say) {
  const hash = contentHash(place, inputs);
  if (record[name]?.hash === hash && record[name].reason === undefined && isPresent(record[name].installed)) {
    return;
  }
  const startedAt = Date.now();
  try {
    const absent = inputs.map((input) => join(place.sources, input)).filter((path) => !existsSync(path));
    if (absent.length > 0) {
      throw new Error(`${absent.map((path) => relative(repositoryRoot, path)).join(', ')} is not there`);
    }
    const missing = tools.filter((tool) => !runs(tool));
    if (missing.length > 0) {
      throw new Error(`this machine has no working ${missing.join(' and no ')}`);
    }
    say(`${name}: installing`);
    record[name] = { hash, installed: await make(commandRunner(place, name)) };
    say(`${name}: done in ${((Date.now() - startedAt) / 1000).toFixed(1)} s`);
  } catch (error) {
    record[name] = { reason: error.message };
    say(`${name}: NOT INSTALLED: ${error.message}`);
  }
}

/** A Python environment with the packages that the file pins. */
export function pythonPart({ sources, target }, requirements) {
  const make = async (run) => {
    const venv = join(target, 'python');
    rmSync(venv, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', venv]);
    const python = join(venv, 'bin', 'python');
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary', ':all:'];
    await run(python, [...pip, '-r', join(sources, requirements)]);
    return { python };
  };
  return { inputs: [requirements], tools: ['python3'], make };
}

/** A Java program by Maven; `classpathName` is what the record calls its class path. */
export function javaPart({ sources, target }, directory, classpathName) {
  const make = async (run) => {
    const built = join(target, 'jdbc');
    await run('mvn', ['-q', '-B', `-Dclients.directory=${built}`, '-f', join(sources, directory, 'pom.xml'), 'package']);
    return { [classpathName]: [join(built, 'classes'), join(built, 'lib', '*')].join(delimiter) };
  };
  return { inputs: [directory], tools: ['java', 'mvn'], make };
}

/** Every main package of a Go module; `programs` says by which name the record calls the one of which folder. */
export function goPart({ sources, target }, directory, programs) {
  const make = async (run) => {
    const built = join(target, 'go');
    mkdirSync(built, { recursive: true });
    await run('go', ['build', '-mod=readonly', '-o', `${built}/`, './...'], join(sources, directory));
    const paths = Object.entries(programs).map(([name, program]) => [name, join(built, program)]);
    return Object.fromEntries(paths.filter(([, path]) => existsSync(path)));
  };
  return { inputs: [directory], tools: ['go'], make };
}

/** Changes with the content of the inputs, the machine's kind and the place. */
export function contentHash({ sources, target }, inputs) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${target}`);
  for (const input of inputs) {
    hashPath(hash, sources, join(sources, input));
  }
  return hash.digest('hex');
}

function hashPath(hash, sources, path) {
  if (!existsSync(path)) {
    return;
  }
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path).sort()) {
      hashPath(hash, sources, join(path, name));
    }
    return;
  }
  hash.update(`\n${relative(sources, path)}\n`).update(readFileSync(path));
}

const recordFile = ({ target }) => join(target, 'installed.json');

function readRecord(place) {
  try {
    return JSON.parse(readFileSync(recordFile(place), 'utf8'));
  } catch {
    return {};
  }
}

export function writeRecord(place, record) {
  const file = recordFile(place);
  writeFileSync(`${file}.new`, `${JSON.stringify(record, undefined, 2)}\n`);
  renameSync(`${file}.new`, file);
}

function isPresent(installed) {
  const paths = Object.values(installed ?? {}).flatMap((value) => value.split(delimiter));
  return paths.every((path) => existsSync(path.replace(/\/\*$/, '')));
}

/** Runs commands with their output in a log file of this name; the end of that file is the error message. */
export function commandRunner({ target }, name) {
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
