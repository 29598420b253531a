// Finds programs on this machine, and lets its package system bring those that are missing.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

// Servers live in sbin, which is not on everybody's path.
const SERVER_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin'];
const POSTGRES_ROOT = '/usr/lib/postgresql';

export function onPath(tool) {
  const directories = [...(process.env.PATH ?? '').split(delimiter), ...SERVER_DIRECTORIES];
  return directories.map((directory) => join(directory, tool)).find((path) => existsSync(path) && statSync(path).isFile());
}

/** A tool is there only if it runs: a version-switching shim on the PATH may have nothing behind it. */
export function runs(tool) {
  return onPath(tool) !== undefined && spawnSync(tool, [tool === 'go' ? 'version' : '--version'], { stdio: 'ignore' }).status === 0;
}

/** The programs of the newest PostgreSQL. */
export function postgresDirectory() {
  const versions = existsSync(POSTGRES_ROOT) ? readdirSync(POSTGRES_ROOT).sort((a, b) => Number(b) - Number(a)) : [];
  const directories = [...versions.map((version) => join(POSTGRES_ROOT, version, 'bin')), dirname(onPath('initdb') ?? '/')];
  return directories.find((directory) => existsSync(join(directory, 'initdb')) && existsSync(join(directory, 'postgres')));
}

/** `found`: by package, where its program is. Those without one are installed, if this process may and the system has apt. */
export async function installMissingPackages(run, found) {
  const wanted = Object.keys(found).filter((name) => found[name] === undefined);
  if (wanted.length > 0 && process.getuid?.() === 0 && onPath('apt-get') !== undefined) {
    // RUNLEVEL keeps the packages from starting their services.
    const environment = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    await run('apt-get', ['update', '-q'], undefined, environment);
    await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...wanted], undefined, environment);
  }
}
