/** The worker's engine as the worker uses it, its frames counted and released: JSON requests on standard input, as the load client takes them. */
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { sizeThreadPool } from '@jetbridge/worker/config';
import { openDuckDb } from '@jetbridge/worker/engine/duckdb-engine';
import type { Engine } from '@jetbridge/worker/engine/engine';

interface Request {
  readonly id: number;
  readonly args: { readonly database: string; readonly sql: string };
}

sizeThreadPool();
let opened: Promise<Engine> | undefined;

async function readAll({ database, sql }: Request['args']): Promise<object> {
  opened ??= openDuckDb({ path: database, readOnly: true, threads: availableParallelism() });
  const connection = await (await opened).connect();
  const startedAtMs = performance.now();
  try {
    const statement = await connection.prepare(sql);
    const result = await statement.execute('stream');
    let rows = 0;
    let bytes = 0;
    for (let frame = await result.next(); frame !== undefined; frame = await result.next()) {
      rows += frame.rows;
      bytes += frame.bytes.length;
      frame.release();
    }
    await result.close();
    statement.close();
    return { rows, bytes, seconds: (performance.now() - startedAtMs) / 1000 };
  } finally {
    await connection.close();
  }
}

process.stdout.write('{"ready":true}\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { id, args } = JSON.parse(line) as Request;
  const answer = await readAll(args).then(
    (result) => ({ id, result }),
    (error: unknown) => ({ id, error: String(error) }),
  );
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
