// Installs what the bench needs beside npm's packages into bench/.tools (git-ignored). A part that cannot be had is recorded with its reason;
// the peers that need it are reported as missing.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandRunner, contentHash, goPart, installParts, javaPart, pythonPart, writeRecord } from '../../cli/bootstrap/install-parts.mjs';
import { installMissingPackages, onPath, postgresDirectory } from '../../cli/bootstrap/machine-programs.mjs';
import { repositoryRoot } from '../../cli/bootstrap/runtime.mjs';

const bench = join(repositoryRoot, 'bench');
const place = { sources: bench, target: join(bench, '.tools') };
const dataDirectory = join(bench, '.data');

const parts = {
  python: pythonPart(place, 'clients/python/requirements.txt'),
  go: goPart(place, 'clients/go', { goLoad: 'load', goProxy: 'proxy', goSqlite: 'sqlite' }),
  jdbc: javaPart(place, 'clients/jdbc', 'jdbcClasspath'),
  servers: { inputs: ['bootstrap/tools.mjs', '../cli/bootstrap/machine-programs.mjs'], tools: [], make: makeServers },
};

async function makeServers(run) {
  await installMissingPackages(run, { nginx: onPath('nginx'), stunnel4: stunnel(), postgresql: postgresDirectory() });
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

/** Installs what is missing and answers where everything is; `.tools/installed.json` says the same to the bench itself. */
export async function ensureTools() {
  const record = await installParts(place, parts, (line) => process.stderr.write(`bench tools: ${line}\n`));
  record.servers = { ...record.servers, installed: { ...record.servers.installed, ...foundServers() } };
  writeRecord(place, record);
  return Object.assign({}, ...Object.values(record).map(({ installed }) => installed));
}

/** TPC-H at scale factor 1, generated once. */
export async function ensureData({ python }) {
  const doneFile = join(dataDirectory, 'generated');
  const hash = contentHash(place, ['clients/python/generate.py']);
  if (existsSync(doneFile) && readFileSync(doneFile, 'utf8') === hash) {
    return;
  }
  if (python === undefined) {
    throw new Error('the data is made by Python, which this machine does not have');
  }
  process.stderr.write('bench data: generating TPC-H at scale factor 1; this takes about a minute, once\n');
  mkdirSync(dataDirectory, { recursive: true });
  await commandRunner(place, 'data')(python, ['-B', join(bench, 'clients/python/generate.py'), dataDirectory]);
  writeFileSync(doneFile, hash);
}
