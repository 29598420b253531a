import t from 'tap';
import { openDuckDb } from './duckdb-engine.ts';
import type { EngineConnection } from './engine.ts';
import { framesOf } from './result-reading.fixture.ts';

async function streamed(connection: EngineConnection, sql: string): Promise<unknown> {
  const statement = await connection.prepare(sql);
  try {
    const result = await statement.execute('stream');
    try {
      return await framesOf(result);
    } finally {
      await result.close();
    }
  } finally {
    statement.close();
  }
}

// DuckDB loses the reason in one of a few dozen to a few hundred runs; with this many, a lost one that is not found shows as often as not.
t.test('a failure in mid-stream always tells its reason', async (t) => {
  const engine = await openDuckDb({ path: ':memory:', threads: 3 });
  t.teardown(() => engine.close());
  const connection = await engine.connect();
  for (let run = 0; run < 120; run += 1) {
    const failing = `SELECT CASE WHEN i = 300000 THEN error('boom ${run}') ELSE i END FROM range(400000) t(i)`;
    await t.rejects(streamed(connection, failing), { code: 'invalid_argument', message: new RegExp(`boom ${run}`) });
  }
});

t.test('how far a stream runs ahead cannot be set for good', async (t) => {
  const engine = await openDuckDb({ path: ':memory:', threads: 1 });
  t.teardown(() => engine.close());
  const connection = await engine.connect();
  const check = (): Promise<unknown> =>
    streamed(connection, "SELECT error('not bounded') WHERE current_setting('streaming_buffer_size') <> '97.6 KiB'");
  await check();
  for (const attempt of ["SET streaming_buffer_size = '10GB'", "PRAGMA streaming_buffer_size = '10GB'", 'RESET streaming_buffer_size']) {
    const statement = await connection.prepare(attempt);
    await (await statement.execute('stored')).close();
    statement.close();
    await check();
  }
});
