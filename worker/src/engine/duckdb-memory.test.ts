import t from 'tap';
import { openDuckDb } from './duckdb-engine.ts';
import type { EngineConnection } from './engine.ts';
import { framesOf, query } from './result-reading.fixture.ts';

const MIB = 1024 * 1024;

/** Growth of this process over `rounds` of work, after as much of it as it takes to warm up. */
async function growthOf(rounds: number, work: () => Promise<unknown>): Promise<number> {
  for (let i = 0; i < rounds / 4; i++) {
    await work();
  }
  const before = process.memoryUsage.rss();
  for (let i = 0; i < rounds; i++) {
    await work();
  }
  return (process.memoryUsage.rss() - before) / MIB;
}

t.test('memory stays bounded over thousands of statements', async (t) => {
  const engine = await openDuckDb({ path: ':memory:', threads: 1 });
  t.after(() => engine.close());
  const connection = await engine.connect();
  await connection.execute('CREATE TABLE t AS SELECT i, i::VARCHAR AS s, [i] AS l FROM range(4000) t(i)');
  // Each of these would leave 100 KB to several MB per round if a chunk, a result or an export were not freed.
  const streamed = await growthOf(600, () => query(connection, 'FROM t'));
  t.ok(streamed < 60, `streamed: ${streamed.toFixed(0)} MB`);
  const abandoned = await growthOf(500, async () => {
    const statement = await connection.prepare('FROM t, range(100)');
    const result = await statement.execute('stream');
    (await result.next())?.release();
    await result.close();
    statement.close();
  });
  t.ok(abandoned < 60, `abandoned: ${abandoned.toFixed(0)} MB`);
  const failed = await growthOf(1000, async () => {
    await connection.prepare('SELECT nope').catch(() => undefined);
    await query(connection, 'SELECT error(s) FROM t').catch(() => undefined);
  });
  t.ok(failed < 60, `failed: ${failed.toFixed(0)} MB`);
  const columns = Array.from({ length: 100 }, (_, i) => `i + ${i}`).join(', ');
  const prepared = await growthOf(500, async () => {
    const statement = await connection.prepare(`SELECT ${columns} FROM t`);
    statement.close();
  });
  t.ok(prepared < 30, `prepared: ${prepared.toFixed(0)} MB`);
  const connected = await growthOf(200, async () => {
    const other = await engine.connect();
    await read(other);
    await other.close();
  });
  t.ok(connected < 60, `connected: ${connected.toFixed(0)} MB`);
});

async function read(connection: EngineConnection): Promise<void> {
  const result = await (await connection.prepare('FROM t')).execute('stored');
  await framesOf(result);
}

t.test('a long stream needs no more memory than a short one', async (t) => {
  const engine = await openDuckDb({ path: ':memory:', threads: 2, memoryLimitBytes: 200_000_000 });
  t.after(() => engine.close());
  const connection = await engine.connect();
  const statement = await connection.prepare("SELECT i, repeat('x', 200) AS s FROM range(1000000) t(i)");
  const result = await statement.execute('stream');
  const before = process.memoryUsage.rss();
  let [bytes, peak] = [0, 0];
  for (let frame = await result.next(); frame; frame = await result.next()) {
    bytes += frame.bytes.length;
    frame.release();
    peak = Math.max(peak, process.memoryUsage.rss() - before);
  }
  await result.close();
  t.ok(bytes > 200_000_000);
  t.ok(peak / MIB < 150, `peak: ${(peak / MIB).toFixed(0)} MB for ${bytes} bytes`);
});
