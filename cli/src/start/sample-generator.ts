// Run as a process of its own: `sample-generator.ts DIRECTORY SCALE` writes the sample there and prints each table as it is done.
import { availableParallelism } from 'node:os';
import { openDuckDb } from '@jetbridge/worker/engine/duckdb-engine';
import { SAMPLE_ENGINE_MEMORY_BYTES } from '../limits.ts';
import { sampleSteps } from './sample-statements.ts';

const [directory = '.', scale = '0'] = process.argv.slice(2);
const engine = await openDuckDb({
  path: ':memory:',
  memoryLimitBytes: SAMPLE_ENGINE_MEMORY_BYTES,
  threads: availableParallelism(),
  tempDirectory: `${directory}/spill`,
  settings: {},
});
try {
  const connection = await engine.connect();
  for (const { table, sql } of sampleSteps(directory, Number(scale))) {
    await connection.execute(sql);
    if (table !== '') {
      process.stdout.write(`${table}\n`);
    }
  }
  await connection.close();
} finally {
  await engine.close();
}
