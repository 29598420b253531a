import { toStatusError } from '@jetbridge/proto/status-error';
import type { EngineConnection } from '../engine/engine.ts';
import { quoteName, quoteText } from '../query/connections.ts';
import { selectTable } from '../query/select.ts';
import type { Logger } from '../telemetry.ts';
import { claimName, sqlName } from './names.ts';
import { type SourceFile, type SourceFormat, scanSource } from './source-files.ts';

export interface SourceCatalogOptions {
  readonly connection: EngineConnection;
  readonly catalog: string;
  readonly sourceDirectory: string;
  readonly dataDirectory: string;
  readonly log: Logger;
}

const READERS: Readonly<Record<Exclude<SourceFormat, 'duckdb'>, string>> = { parquet: 'read_parquet', csv: 'read_csv', json: 'read_json' };

// Marks the views that this file made: only those are replaced and dropped.
const MARK = 'jetbridge source: ';
const ROOT_SCHEMA = 'main';
const KEPT_SCHEMAS = ['information_schema', 'pg_catalog', ROOT_SCHEMA];

/**
 * Serves a directory: every Parquet, CSV and JSON file as a view, the files of a folder in a schema of its name, every DuckDB file as a
 * catalog of its own. A file that cannot be served is reported and the others are. Answers the names of all catalogs.
 */
export async function serveSourceDirectory(options: SourceCatalogOptions): Promise<readonly string[]> {
  const { connection, catalog, sourceDirectory, dataDirectory, log } = options;
  const files = await scanSource({ directory: sourceDirectory, except: dataDirectory, log });
  const reserved = await reservedWords(connection);
  const views = namedViews(files, catalog, reserved);
  const servedViews = await replaceViews(options, views);
  const attached = await attachDatabases(
    options,
    files,
    new Set([...reserved, catalog, ...views.map(({ schema }) => schema), ...FOREIGN_CATALOGS]),
  );
  log.info({ sourceDirectory, views: servedViews, databases: attached.length }, 'source directory served');
  return [catalog, ...attached];
}

// Names of DuckDB's own.
const FOREIGN_CATALOGS = ['system', 'temp', 'memory', 'main', 'information_schema', 'pg_catalog'];

async function reservedWords(connection: EngineConnection): Promise<ReadonlySet<string>> {
  const words = await selectTable(connection, `SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'`);
  return new Set(words.toArray().map((row) => String(row.keyword_name)));
}

interface View {
  readonly schema: string;
  readonly name: string;
  readonly file: SourceFile;
  readonly reader: string;
}

function namedViews(files: readonly SourceFile[], catalog: string, reserved: ReadonlySet<string>): readonly View[] {
  const schemas = new Map<string, string>();
  const takenSchemas = new Set([...KEPT_SCHEMAS, catalog]);
  const taken = new Map<string, Set<string>>();
  return files.flatMap((file) => {
    if (file.format === 'duckdb') {
      return [];
    }
    const folder = file.folders.join('/');
    const schema = schemas.get(folder) ?? (folder === '' ? ROOT_SCHEMA : claimName(takenSchemas, sqlName(folder, reserved), 'files'));
    schemas.set(folder, schema);
    const names = taken.get(schema) ?? new Set<string>();
    taken.set(schema, names);
    return [{ schema, name: claimName(names, sqlName(file.stem, reserved), file.format), file, reader: READERS[file.format] }];
  });
}

async function replaceViews({ connection, catalog, log }: SourceCatalogOptions, views: readonly View[]): Promise<number> {
  const before = await existingObjects(connection, catalog);
  let served = 0;
  for (const view of views) {
    const key = keyOf(view.schema, view.name);
    if (before.get(key) === 'foreign') {
      log.warn({ path: view.file.path, schema: view.schema, name: view.name }, 'source file is hidden by a table or view of the same name');
      continue;
    }
    before.delete(key);
    served += (await tryExecute(connection, viewScript(catalog, view), log, view.file.path)) ? 1 : 0;
  }
  for (const [key, owner] of before) {
    if (owner === 'ours') {
      const [schema = '', name = ''] = JSON.parse(key) as string[];
      await connection.execute(`DROP VIEW ${qualified(catalog, schema, name)}`);
    }
  }
  return served;
}

async function existingObjects(connection: EngineConnection, catalog: string): Promise<Map<string, 'ours' | 'foreign'>> {
  const rows = await selectTable(
    connection,
    `SELECT schema_name, table_name AS name, '' AS comment FROM duckdb_tables() WHERE database_name = ? AND NOT internal
     UNION ALL SELECT schema_name, view_name, coalesce(comment, '') FROM duckdb_views() WHERE database_name = ? AND NOT internal`,
    [
      { kind: 'text', value: catalog },
      { kind: 'text', value: catalog },
    ],
  );
  return new Map(
    rows
      .toArray()
      .map((row) => [keyOf(String(row.schema_name), String(row.name)), String(row.comment).startsWith(MARK) ? 'ours' : 'foreign']),
  );
}

// Names are case-insensitive in the engine; ours are lower-case.
function keyOf(schema: string, name: string): string {
  return JSON.stringify([schema.toLowerCase(), name.toLowerCase()]);
}

function viewScript(catalog: string, { schema, name, file, reader }: View): string {
  const view = qualified(catalog, schema, name);
  return `
    CREATE SCHEMA IF NOT EXISTS ${quoteName(catalog)}.${quoteName(schema)};
    DROP VIEW IF EXISTS ${view};
    CREATE VIEW ${view} AS SELECT * FROM ${reader}(${quoteText(file.path)});
    COMMENT ON VIEW ${view} IS ${quoteText(MARK + file.path)};`;
}

async function attachDatabases(
  { connection, log }: SourceCatalogOptions,
  files: readonly SourceFile[],
  taken: Set<string>,
): Promise<readonly string[]> {
  const attached: string[] = [];
  for (const { path, stem, format } of files) {
    if (format === 'duckdb') {
      const name = claimName(taken, sqlName(stem, new Set()), 'db');
      if (await tryExecute(connection, `ATTACH ${quoteText(path)} AS ${quoteName(name)} (READ_ONLY)`, log, path)) {
        attached.push(name);
      }
    }
  }
  return attached;
}

async function tryExecute(connection: EngineConnection, script: string, log: Logger, path: string): Promise<boolean> {
  try {
    await connection.execute(script);
    return true;
  } catch (thrown) {
    log.warn({ path, reason: toStatusError(thrown).message }, 'source file cannot be served');
    return false;
  }
}

function qualified(catalog: string, schema: string, name: string): string {
  return `${quoteName(catalog)}.${quoteName(schema)}.${quoteName(name)}`;
}
