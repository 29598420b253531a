import { type Peer, PeerMissing } from '../peer.ts';

/** The engine's limit: no server at all, the load client opens the file itself. */
export const pythonDuckDbPeer: Peer = {
  name: 'python-duckdb',
  title: 'DuckDB inside the Python client',
  start: async (bench) => {
    if (bench.tools.python === undefined) {
      throw new PeerMissing('Python with duckdb could not be installed');
    }
    return { target: { protocol: 'duckdb', uri: bench.duckdbFile, tablePrefix: '' }, processes: [], stop: async () => undefined };
  },
};
