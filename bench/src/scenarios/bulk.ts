import type { Scenario, ScenarioContext } from '../scenario.ts';

interface Bulk {
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
}

interface BulkQuery {
  readonly name: string;
  readonly title: string;
  readonly clients: number;
  readonly columns: string;
  readonly table: string;
}

const PEERS = ['mesh', 'worker-direct', 'flight-server', 'nginx', 'gizmosql', 'python-duckdb'];
// One scenario with all of them is enough: the last two take up to half a minute for each read.
const FURTHER_PEERS = ['worker-plain', 'flight-server-tls', 'stunnel', 'quack', 'postgres'];
// The scenario that goals speak of: it is read by ADBC too, and its peers are started anew, because their memory is a goal.
const MAIN = 'bulk-lineitem';

/**
 * Whole columns, counted and thrown away batch by batch. Flight and Flight SQL servers are read by the same client, pyarrow, because ratios
 * compare them; what ADBC makes of a Flight SQL server is a figure of its own.
 */
function bulk({ name, title, clients, columns, table }: BulkQuery, peers: readonly string[] = PEERS): Scenario {
  return {
    name,
    title,
    peers,
    freshPeers: name === MAIN,
    metrics: [
      { name: 'rowsPerS', title: 'rows', unit: 'M/s', better: 'more' },
      { name: 'bytesPerS', title: 'Arrow bytes', unit: 'MB/s', better: 'more' },
      { name: 'bytes', title: 'Arrow bytes read', unit: 'B', better: 'less' },
      { name: 'adbcRowsPerS', title: 'rows, by ADBC', unit: 'M/s', better: 'more' },
    ],
    run: async (context) => {
      const sql = `SELECT ${columns} FROM ${context.peer.target.tablePrefix}${table}`;
      const { rows, bytes, seconds } = await context.measured(() => read(context, { sql, clients, client: 'pyarrow' }));
      const byPyarrow = { rowsPerS: rows / seconds / 1e6, bytesPerS: bytes / seconds / 1e6, bytes };
      if (context.peer.target.protocol !== 'flight-sql' || name !== MAIN) {
        return byPyarrow;
      }
      const byAdbc = await read(context, { sql, clients, client: 'usual' });
      return { ...byPyarrow, adbcRowsPerS: byAdbc.rows / byAdbc.seconds / 1e6 };
    },
  };
}

async function read({ load, peer }: ScenarioContext, args: object): Promise<Bulk> {
  return (await load.ask('bulk', { target: peer.target, ...args })) as unknown as Bulk;
}

const INTEGERS = 'l_orderkey, l_partkey, l_suppkey, l_linenumber, l_shipdate, l_commitdate, l_receiptdate';
const STRINGS = 'l_returnflag, l_linestatus, l_shipinstruct, l_shipmode, l_comment';

const QUARTER = 'lineitem WHERE l_orderkey <= 1500000';

export const bulkScenarios: readonly Scenario[] = [
  bulk({ name: MAIN, title: 'lineitem, all 16 columns', clients: 1, columns: '*', table: 'lineitem' }, [...PEERS, ...FURTHER_PEERS]),
  bulk({
    name: 'bulk-lineitem-4',
    title: 'a quarter of lineitem, all columns, by 4 clients each at once',
    clients: 4,
    columns: '*',
    table: QUARTER,
  }),
  bulk({ name: 'bulk-integers', title: 'lineitem, integers and dates only', clients: 1, columns: INTEGERS, table: 'lineitem' }),
  bulk({ name: 'bulk-strings', title: 'lineitem, strings only', clients: 1, columns: STRINGS, table: 'lineitem' }),
  bulk({ name: 'bulk-nested', title: 'lists, structs and lists of structs', clients: 1, columns: '*', table: 'nested' }),
];
