import { clientCpu, numberIn, withGoLoad } from '../go-load.ts';
import { SQLITE_ORDERS } from '../peers/go-sqlite.ts';
import type { Scenario, ScenarioContext } from '../scenario.ts';

const CLIENTS = 16;
const SECONDS = 3;
const TPCH_ORDERS = 1_500_000;
const COLUMNS = 'l_orderkey, l_partkey, l_suppkey, l_linenumber, l_quantity, l_extendedprice';
const PEERS = [
  'mesh',
  'worker-direct',
  'go-proxy',
  'gizmosql',
  'flight-server',
  'nginx',
  'go-sqlite',
  'quack',
  'postgres',
  'python-duckdb',
];

/** Flight and Flight SQL are asked by the Go client; the others by Python's threads, whose own cost bounds them. For targets: `perS`. */
export const lookupsScenario: Scenario = {
  ...clientsForTime(),
  name: 'lookups',
  title: `Point lookups in lineitem, ${CLIENTS} clients; Flight SQL: prepare, GetFlightInfo, DoGet, close`,
  peers: PEERS,
  run: (context) => run(context, false),
};

export const preparedLookupsScenario: Scenario = {
  ...clientsForTime(),
  name: 'lookups-prepared',
  title: `Point lookups in lineitem, ${CLIENTS} clients, prepared once, the key is a parameter: DoPut, GetFlightInfo, DoGet`,
  // What has no prepared statements is left out.
  peers: PEERS.filter((name) => !['flight-server', 'nginx', 'quack'].includes(name)),
  run: (context) => run(context, true),
};

function clientsForTime(): Pick<Scenario, 'metrics' | 'runsForTime'> {
  return {
    runsForTime: true,
    metrics: [
      { name: 'perS', title: 'lookups', unit: '1/s', better: 'more' },
      { name: 'p50', title: 'median', unit: 'ms', better: 'less' },
      { name: 'p99', title: '99th percentile', unit: 'ms', better: 'less' },
      { name: 'lookups', title: 'lookups made', unit: '', better: 'more' },
      clientCpu(),
    ],
  };
}

async function run(context: ScenarioContext, prepared: boolean): Promise<Readonly<Record<string, number>>> {
  const { bench, load, measured, peer } = context;
  const { target } = peer;
  const args = {
    target,
    clients: CLIENTS,
    seconds: SECONDS,
    prepared,
    sql: `SELECT ${COLUMNS} FROM ${target.tablePrefix}lineitem WHERE l_orderkey = ${prepared && target.protocol === 'postgres' ? '$1' : '?'}`,
    largest: target.uri.startsWith('grpc+tcp:') ? SQLITE_ORDERS - 1 : TPCH_ORDERS,
  };
  const isFlight = target.protocol === 'flight-sql' || target.protocol === 'flight';
  const answer = isFlight
    ? await withGoLoad(bench, async (ask) => {
        await ask('open', args);
        return measured(() => ask('lookups', args));
      })
    : await measured(() => load.ask('lookups', args));
  const lookups = numberIn(answer, 'lookups');
  return {
    perS: lookups / numberIn(answer, 'seconds'),
    p50: numberIn(answer, 'p50Ms'),
    p99: numberIn(answer, 'p99Ms'),
    lookups,
    ...(isFlight ? { clientCpu: numberIn(answer, 'clientCpuS') } : {}),
  };
}
