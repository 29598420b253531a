import type { WorkerConfig } from '../config.ts';
import type { Engine, EngineConnection } from '../engine/engine.ts';
import { quoteText } from '../query/connections.ts';
import type { Logger } from '../telemetry.ts';
import { serveSourceDirectory } from './source-catalog.ts';

export type CatalogConfig = Pick<WorkerConfig, 'catalog' | 'sourceDirectory' | 'dataDirectory'>;

/**
 * Serves the source directory in the worker's own database, and then locks the engine down, so that no statement can undo what is set here.
 * Answers the names of all catalogs, the default first.
 */
export async function prepareCatalog(config: CatalogConfig, engine: Engine, log: Logger): Promise<readonly string[]> {
  const connection = await engine.connect();
  try {
    // Answers must not depend on where the worker happens to run. DuckDB takes this setting only once it is open.
    await connection.execute(`SET GLOBAL TimeZone = 'UTC'`);
    const catalogs = await catalogsOf(config, connection, log);
    await lockDown(connection, config.sourceDirectory);
    return catalogs;
  } finally {
    await connection.close();
  }
}

async function catalogsOf(
  { catalog, sourceDirectory, dataDirectory }: CatalogConfig,
  connection: EngineConnection,
  log: Logger,
): Promise<readonly string[]> {
  if (sourceDirectory === undefined) {
    return [catalog];
  }
  return serveSourceDirectory({ connection, catalog, sourceDirectory, dataDirectory, log });
}

// Files outside the source directory are out of reach from here on, and so is every setting of the engine; catalog and schema of a session,
// and its variables, are no settings in this sense. How far a stream may run ahead stays open for the engine, which undoes what others set there.
async function lockDown(connection: EngineConnection, sourceDirectory: string | undefined): Promise<void> {
  const allowed = sourceDirectory === undefined ? '' : quoteText(`${sourceDirectory}/`);
  await connection.execute(`
    SET allowed_directories = [${allowed}];
    SET enable_external_access = false;
    SET allowed_configs = ['streaming_buffer_size'];
    SET lock_configuration = true;`);
}
