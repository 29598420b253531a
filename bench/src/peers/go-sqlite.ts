import { goProgram } from '../go-load.ts';
import type { Peer } from '../peer.ts';
import { startServer } from '../server-process.ts';

/** Orders in its lineitem, four rows each: what an example over an in-memory SQLite takes without a long wait. */
export const SQLITE_ORDERS = 50_000;
const ROWS_PER_ORDER = 4;
const TABLES = 1_000;

export const goSqlitePeer: Peer = {
  name: 'go-sqlite',
  title: "arrow-go's SQLite Flight SQL example, no TLS, small table",
  start: async (bench) => {
    const sizes = ['-rows', String(SQLITE_ORDERS * ROWS_PER_ORDER), '-tables', String(TABLES)];
    const server = startServer({ program: goProgram(bench, 'sqlite'), args: sizes });
    const { port } = JSON.parse(await server.firstLine()) as { readonly port: number };
    return {
      target: { protocol: 'flight-sql', uri: `grpc+tcp://127.0.0.1:${port}`, tablePrefix: '' },
      processes: [{ stage: 'server', pid: server.pid }],
      stop: () => server.stop(),
    };
  },
};
