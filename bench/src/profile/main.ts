import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readInstalledTools } from '../installed-tools.ts';
import { startLoadClient } from '../load-client.ts';
import { peers, scenarios } from '../suite.ts';
import { profileScenario } from './profile.ts';

const DATA_DIRECTORY = fileURLToPath(new URL('../../.data/', import.meta.url));
const PROFILES_DIRECTORY = fileURLToPath(new URL('../../.data/profiles/', import.meta.url));
const LOAD_PROGRAM = fileURLToPath(new URL('../../clients/python/load.py', import.meta.url));
const EXIT_USAGE = 64;
const USAGE = 'npm run profile -- SCENARIO [--peer NAME] [--out DIR]\n';

function named<T extends { readonly name: string }>(kind: string, all: readonly T[], name: string | undefined): T {
  const found = all.find((one) => one.name === name);
  if (found === undefined) {
    process.stderr.write(`${USAGE}There is no ${kind} "${name ?? ''}"; there are: ${all.map((one) => one.name).join(', ')}\n`);
    process.exit(EXIT_USAGE);
  }
  return found;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { peer: { type: 'string' }, out: { type: 'string' } },
  });
  const scenario = named(
    'scenario',
    scenarios,
    positionals.findLast((word) => word !== 'profile'),
  );
  const ownPeer = scenario.peers.find((name) => /(^|-)mesh(-|$)/.test(name)) ?? scenario.peers[0];
  const peer = named('peer', peers, values.peer ?? ownPeer);
  const tools = readInstalledTools();
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
  }
  const directory = values.out === undefined ? join(PROFILES_DIRECTORY, `${scenario.name}-${peer.name}`) : resolve(values.out);
  // What an earlier run left would be taken for this one's.
  await rm(directory, { recursive: true, force: true });
  const temporary = await mkdtemp(join(tmpdir(), 'jetbridge-profile-'));
  try {
    const text = await profileScenario({
      scenario,
      peer,
      bench: {
        duckdbFile: join(DATA_DIRECTORY, 'tpch.duckdb'),
        parquetDirectory: join(DATA_DIRECTORY, 'parquet'),
        temporary,
        tools,
        log: (line) => process.stderr.write(`${line}\n`),
      },
      directory,
      openLoad: () => startLoadClient({ program: tools.python ?? 'python3', args: ['-B', LOAD_PROGRAM] }),
      signal: stop.signal,
    });
    process.stdout.write(`${text}\nwritten: ${directory}\n`);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

await main();
