import { engineProcessOf } from '../peers/engine-process.ts';
import type { Scenario } from '../scenario.ts';

interface Read {
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
}

const ROUNDS = 2;

/** What the engine costs without server and network. `bytes` are those of the IPC messages, which differ a little: batches do. */
export const engineIpc: Scenario = {
  name: 'engine-ipc',
  title: 'DuckDB to Arrow IPC in one process, lineitem, all columns',
  peers: ['engine', 'engine-python'],
  metrics: [
    { name: 'rowsPerS', title: 'rows', unit: 'M/s', better: 'more' },
    { name: 'bytesPerS', title: 'IPC bytes', unit: 'MB/s', better: 'more' },
    { name: 'bytes', title: 'IPC bytes written', unit: 'B', better: 'less' },
  ],
  run: async ({ peer, bench, measured }) => {
    const engine = engineProcessOf(peer);
    const reads = await measured(async () => {
      const done: Read[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const args = { database: bench.duckdbFile, sql: 'SELECT * FROM lineitem' };
        done.push((await engine.ask('engine-ipc', args)) as unknown as Read);
      }
      return done;
    });
    const sum = (field: keyof Read): number => reads.reduce((total, read) => total + read[field], 0);
    return { rowsPerS: sum('rows') / sum('seconds') / 1e6, bytesPerS: sum('bytes') / sum('seconds') / 1e6, bytes: sum('bytes') };
  },
};
