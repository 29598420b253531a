// Plain JavaScript for any Node that npm runs on: this is what finds the Node that everything else needs.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The oldest Node that runs Jetbridge: it runs TypeScript by itself. */
const MINIMUM_MAJOR = 24;

export const repositoryRoot = fileURLToPath(new URL('../../', import.meta.url));

/** Path of the pinned Node from node_modules, or of this process's own where there is none for the platform and its own is new enough. */
export function pickRuntime() {
  for (const candidate of pinnedRuntimes()) {
    if (existsSync(candidate) && isNewEnough(versionOf(candidate))) {
      return candidate;
    }
  }
  if (isNewEnough(process.version)) {
    return process.execPath;
  }
  throw new Error(
    `Jetbridge runs on Node ${MINIMUM_MAJOR} or newer. This is Node ${process.version}, and npm installed no Node that works on ` +
      `${process.platform}-${process.arch}: install Node ${MINIMUM_MAJOR} and try again.`,
  );
}

function* pinnedRuntimes() {
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    for (const name of [`node-${platform}`, `node-bin-${platform}`]) {
      yield join(directory, 'node_modules', name, 'bin', binary);
    }
    if (directory === dirname(directory)) {
      return;
    }
  }
}

function versionOf(binary) {
  const { status, stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '';
}

function isNewEnough(version) {
  return Number(/^v(\d+)\./.exec(version)?.[1] ?? 0) >= MINIMUM_MAJOR;
}

/** Arguments that make Node load the main module of the jetbridge command: sources in a checkout, compiled files in a package. */
export function commandArguments() {
  const source = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  return existsSync(source) ? ['--conditions=jetbridge', source] : [fileURLToPath(new URL('../dist/main.js', import.meta.url))];
}

/** Runs a program in this one's place: same terminal, signals passed on once. Resolves to the exit code. */
export function runInPlace(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options });
    const stopForwarding = forwardSignals(child);
    child.once('error', (error) => {
      stopForwarding();
      reject(error);
    });
    child.once('exit', (code, signal) => {
      stopForwarding();
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

// npm passes on a signal that the shell or a terminal may have sent to us as well; copies arrive together.
const COPY_WINDOW_MS = 500;

function forwardSignals(child) {
  const passedOnAt = new Map();
  const forward = (signal) => {
    // A terminal sends Ctrl-C to every process of the group: the child has it already, and a second one would cut its shutdown short.
    const fromTerminal = signal === 'SIGINT' && [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
    const isCopy = Date.now() - (passedOnAt.get(signal) ?? 0) < COPY_WINDOW_MS;
    if (!fromTerminal && !isCopy) {
      passedOnAt.set(signal, Date.now());
      child.kill(signal);
    }
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) {
    process.on(signal, forward);
  }
  return () => {
    for (const signal of signals) {
      process.off(signal, forward);
    }
  };
}
