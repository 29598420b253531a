import { startLoadClient } from '../load-client.ts';
import { type Bench, PeerMissing } from '../peer.ts';
import type { LoadClient, Scenario } from '../scenario.ts';

const ITERATIONS = 300;
const ROWS = 1_000_000;
// The driver reads Arrow's memory through java.nio; the heap is what BI tools give it at least.
const JVM_ARGUMENTS = ['--add-opens=java.base/java.nio=ALL-UNNAMED', '-Xmx1g', '-XX:+UseSerialGC'];

/** What BI tools see: rows one by one through the JDBC driver. Its own cost bounds the speed of every server. */
export const jdbcScenario: Scenario = {
  name: 'jdbc',
  title: 'SELECT 1, and a million rows of six columns, by the JDBC driver',
  peers: ['mesh', 'worker-direct', 'gizmosql'],
  metrics: [
    { name: 'p50', title: 'median, new statement', unit: 'ms', better: 'less' },
    { name: 'preparedP50', title: 'median, prepared once', unit: 'ms', better: 'less' },
    { name: 'rowsPerS', title: 'rows', unit: '1/s', better: 'more' },
    { name: 'clientCpu', title: 'CPU of the JDBC client', unit: 's', better: 'less' },
  ],
  run: ({ bench, peer: { target }, measured }) =>
    withJdbc(bench, async (load) => {
      const sql = `SELECT l_orderkey, l_partkey, l_quantity, l_extendedprice, l_shipdate, l_shipmode FROM ${target.tablePrefix}lineitem LIMIT ${ROWS}`;
      const fresh = await load.ask('latency', { target, sql: 'SELECT 1', iterations: ITERATIONS, prepared: false });
      const prepared = await load.ask('latency', { target, sql: 'SELECT 1', iterations: ITERATIONS, prepared: true });
      const bulk = await measured(() => load.ask('bulk', { target, sql }));
      return {
        p50: Number(fresh['p50Ms']),
        preparedP50: Number(prepared['p50Ms']),
        rowsPerS: Number(bulk['rows']) / Number(bulk['seconds']),
        clientCpu: Number(bulk['clientCpuS']),
      };
    }),
};

async function withJdbc<T>({ tools }: Bench, work: (load: LoadClient) => Promise<T>): Promise<T> {
  if (tools.jdbcClasspath === undefined) {
    throw new PeerMissing('the JDBC client of the bench could not be built: there is no working Java and Maven');
  }
  const load = await startLoadClient({ program: 'java', args: [...JVM_ARGUMENTS, '-cp', tools.jdbcClasspath, 'jetbridge.Load'] });
  try {
    return await work(load);
  } finally {
    await load.close();
  }
}
