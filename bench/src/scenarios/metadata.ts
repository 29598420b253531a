import { numberIn } from '../go-load.ts';
import type { RunningPeer } from '../peer.ts';
import type { Scenario, ScenarioContext } from '../scenario.ts';

const TABLES = 1_000;

/** Peers whose tables have been made: they stay until the peer ends. */
const prepared = new WeakSet<RunningPeer>();

export const metadataScenario: Scenario = {
  name: 'metadata',
  title: `get_objects over ${TABLES} tables, as ADBC asks for a tree of tables and columns`,
  peers: ['mesh', 'worker-direct', 'gizmosql', 'go-sqlite', 'postgres'],
  metrics: [
    { name: 'tables', title: 'down to tables', unit: 'ms', better: 'less' },
    { name: 'columns', title: 'down to columns', unit: 'ms', better: 'less' },
  ],
  run: async (context) => {
    await prepare(context);
    return context.measured(async () => ({ tables: await getObjects(context, 'tables'), columns: await getObjects(context, 'columns') }));
  },
};

async function prepare({ peer, load }: ScenarioContext): Promise<void> {
  // The SQLite example has had its tables from the start.
  if (prepared.has(peer) || peer.target.uri.startsWith('grpc+tcp:')) {
    return;
  }
  await load.ask('make_tables', { target: peer.target, tables: TABLES });
  prepared.add(peer);
}

async function getObjects({ peer, load }: ScenarioContext, depth: 'tables' | 'columns'): Promise<number> {
  const answer = await load.ask('metadata', { target: peer.target, depth });
  if (numberIn(answer, 'tables') < TABLES || (depth === 'columns' && numberIn(answer, 'columns') < TABLES)) {
    throw new Error(`get_objects answered ${answer['tables']} tables and ${answer['columns']} columns`);
  }
  return numberIn(answer, 'seconds') * 1000;
}
