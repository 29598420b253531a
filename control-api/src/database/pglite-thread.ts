import { chmod, rename, rm } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { DATABASE_OPEN_TIMEOUT_MS, EMBEDDED_SHARED_BUFFERS } from '../limits.ts';
import { parseInt8, TYPE_INT8 } from './int8.ts';

// PGlite answers synchronously inside WebAssembly and blocks its event loop meanwhile, hence a thread of its own.

/** What the thread is started with. */
export interface PGliteThreadTask {
  readonly directory: string;
  /** `create` makes the directory and ends, which gives back the 400 MB that creation takes; `serve` answers queries. */
  readonly task: 'create' | 'serve';
}

export type PGliteRequest =
  | { readonly kind: 'query'; readonly id: number; readonly sql: string; readonly parameters: readonly unknown[] }
  | { readonly kind: 'close' };

export type PGliteReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'rows'; readonly id: number; readonly command: string; readonly rowCount: number; readonly rows: readonly unknown[] }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly message: string;
      readonly code: string | undefined;
      readonly constraint: string | undefined;
    };

const task = workerData as PGliteThreadTask;
await (task.task === 'create' ? create(task.directory) : serve(task.directory));

// Made beside its place and renamed, so an interrupted creation is begun anew instead of opened half done.
async function create(directory: string): Promise<void> {
  const unfinished = `${directory}.creating`;
  await rm(unfinished, { recursive: true, force: true });
  await (await open(unfinished)).close();
  // PGlite leaves everything inside readable by all.
  await chmod(unfinished, 0o700);
  await rename(unfinished, directory);
}

async function serve(directory: string): Promise<void> {
  const database = await open(directory);
  parentPort?.on('message', (request: PGliteRequest) => {
    if (request.kind === 'query') {
      void answer(database, request);
    } else {
      // A checkpoint on close: the next start replays nothing.
      void database.close().then(() => parentPort?.close());
    }
  });
  reply({ kind: 'ready' });
}

async function open(directory: string): Promise<PGlite> {
  // Compiling WebAssembly in the background does not keep a worker thread alive; it would end in the middle of opening.
  const alive = setInterval(() => undefined, DATABASE_OPEN_TIMEOUT_MS);
  try {
    return await PGlite.create({
      dataDir: directory,
      relaxedDurability: false,
      parsers: { [TYPE_INT8]: parseInt8 },
      postgresqlconf: [`shared_buffers=${EMBEDDED_SHARED_BUFFERS}`],
    });
  } finally {
    clearInterval(alive);
  }
}

async function answer(database: PGlite, request: Extract<PGliteRequest, { kind: 'query' }>): Promise<void> {
  try {
    const { command, rowCount, rows } = await database.query(request.sql, [...request.parameters]);
    reply({ kind: 'rows', id: request.id, command: command ?? '', rowCount: rowCount ?? 0, rows });
  } catch (error) {
    const { code, constraint } = error as { code?: string; constraint?: string };
    reply({ kind: 'failed', id: request.id, message: error instanceof Error ? error.message : String(error), code, constraint });
  }
}

function reply(message: PGliteReply): void {
  parentPort?.postMessage(message);
}
