import type { Scenario, ScenarioContext } from '../scenario.ts';

const ITERATIONS = 400;

interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Way {
  readonly client: 'usual' | 'pyarrow';
  readonly prepared: boolean;
}

const AS_APPLICATIONS_DO: Way = { client: 'usual', prepared: false };
const PREPARED_ONCE: Way = { client: 'usual', prepared: true };
const BY_PYARROW: Way = { client: 'pyarrow', prepared: false };

/** One connection, one statement after the other: what a round trip costs. */
export const select1: Scenario = {
  name: 'select-1',
  title: 'SELECT 1, one after the other on one connection',
  peers: [
    'mesh',
    'worker-direct',
    'worker-plain',
    'flight-server',
    'flight-server-tls',
    'nginx',
    'stunnel',
    'gizmosql',
    'go-sqlite',
    'quack',
    'postgres',
    'python-duckdb',
  ],
  metrics: [
    { name: 'p50', title: 'median', unit: 'ms', better: 'less' },
    { name: 'p99', title: '99th percentile', unit: 'ms', better: 'less' },
    { name: 'preparedP50', title: 'median, prepared once', unit: 'ms', better: 'less' },
    { name: 'preparedP99', title: '99th percentile, prepared once', unit: 'ms', better: 'less' },
    { name: 'pyarrowP50', title: 'median, pyarrow', unit: 'ms', better: 'less' },
    { name: 'pyarrowP99', title: '99th percentile, pyarrow', unit: 'ms', better: 'less' },
  ],
  run: async (context) => {
    const usual = await context.measured(() => latency(context, AS_APPLICATIONS_DO));
    return { p50: usual.p50Ms, p99: usual.p99Ms, ...(await prepared(context)), ...(await pyarrow(context, usual)) };
  },
};

/** A ticket that is SQL cannot be prepared. */
async function prepared(context: ScenarioContext): Promise<Readonly<Record<string, number>>> {
  const { protocol } = context.peer.target;
  if (protocol === 'flight' || protocol === 'quack') {
    return {};
  }
  const { p50Ms, p99Ms } = await latency(context, PREPARED_ONCE);
  return { preparedP50: p50Ms, preparedP99: p99Ms };
}

/** For servers of plain Flight it is the usual client. */
async function pyarrow(context: ScenarioContext, usual: Latency): Promise<Readonly<Record<string, number>>> {
  const { protocol } = context.peer.target;
  if (protocol !== 'flight' && protocol !== 'flight-sql') {
    return {};
  }
  const { p50Ms, p99Ms } = protocol === 'flight' ? usual : await latency(context, BY_PYARROW);
  return { pyarrowP50: p50Ms, pyarrowP99: p99Ms };
}

async function latency({ load, peer }: ScenarioContext, way: Way): Promise<Latency> {
  return (await load.ask('latency', { target: peer.target, sql: 'SELECT 1', iterations: ITERATIONS, ...way })) as unknown as Latency;
}
