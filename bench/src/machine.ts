import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Tools } from './peer.ts';
import type { Machine } from './results.ts';

const REQUIREMENTS_FILE = fileURLToPath(new URL('../clients/python/requirements.txt', import.meta.url));

/** What figures depend on, and nothing that says whose machine it is. */
export function describeMachine(tools: Tools): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: `${type()} ${release()}`,
    node: process.version,
    clients: { ...pinnedVersions(readFileSync(REQUIREMENTS_FILE, 'utf8')), ...serverVersions(tools) },
  };
}

/** From the lines of a pip requirements file. */
export function pinnedVersions(requirements: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...requirements.matchAll(/^([\w.-]+)==(\S+)$/gm)].map(([, name = '', version = '']) => [name, version]));
}

function serverVersions({ nginx, stunnel, postgresDirectory, gizmosql }: Tools): Readonly<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const [name, program, flag] of [
    ['nginx', nginx, '-v'],
    ['stunnel', stunnel, '-version'],
    ['postgres', postgresDirectory === undefined ? undefined : join(postgresDirectory, 'postgres'), '--version'],
    ['gizmosql', gizmosql, '--version'],
  ] as const) {
    const version = program === undefined ? undefined : versionOf(program, flag);
    if (version !== undefined) {
      versions[name] = version;
    }
  }
  return versions;
}

function versionOf(program: string, flag: string): string | undefined {
  const { stdout, stderr } = spawnSync(program, [flag], { encoding: 'utf8' });
  return /\d+\.\d+(?:\.\d+)?/.exec(`${stdout}${stderr}`)?.[0];
}
