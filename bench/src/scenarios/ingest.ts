import { numberIn } from '../go-load.ts';
import type { Scenario } from '../scenario.ts';

const ROWS = 1_000_000;

/** Servers that cannot are reported with their own answer. */
export const ingestScenario: Scenario = {
  name: 'ingest',
  title: 'One million rows of six columns into a new table (adbc_ingest where there is ADBC)',
  peers: ['mesh', 'worker-direct', 'gizmosql', 'go-sqlite', 'quack', 'postgres', 'python-duckdb'],
  metrics: [
    { name: 'rowsPerS', title: 'rows', unit: 'M/s', better: 'more' },
    { name: 'bytesPerS', title: 'Arrow bytes', unit: 'MB/s', better: 'more' },
    { name: 'bytes', title: 'Arrow bytes sent', unit: 'B', better: 'less' },
  ],
  run: async ({ peer, load, measured }) => {
    const answer = await measured(() => load.ask('ingest', { target: peer.target, rows: ROWS }));
    const seconds = numberIn(answer, 'seconds');
    const bytes = numberIn(answer, 'bytes');
    return { rowsPerS: ROWS / seconds / 1e6, bytesPerS: bytes / seconds / 1e6, bytes };
  },
};
