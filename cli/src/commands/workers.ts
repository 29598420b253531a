import type { ApiClient } from '../api/api-client.ts';
import { API_FLAGS, withApi } from '../api/local-mesh.ts';
import { HELP_FLAG, renderHelp } from '../help.ts';
import { displayWidth, padCell, visibleText } from '../sql/text-width.ts';
import { EXIT_OK, type Flag, parseArguments } from '../usage.ts';

const FLAGS: readonly Flag[] = [
  { name: 'json', about: 'Print the workers as the API describes them, as one JSON array.' },
  ...API_FLAGS,
  HELP_FLAG,
];

/** `jetbridge workers list` */
export async function listWorkers(args: readonly string[]): Promise<number> {
  const given = parseArguments({ command: 'jetbridge workers list', flags: FLAGS }, args);
  if (given.on('help')) {
    process.stdout.write(help());
    return EXIT_OK;
  }
  const workers = await withApi(given, readAllWorkers);
  process.stdout.write(given.on('json') ? `${JSON.stringify(workers, undefined, 2)}\n` : workersTable(workers));
  return EXIT_OK;
}

interface WorkerRow {
  readonly id: string;
  readonly name: string;
  readonly pool: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
  readonly online: boolean;
  readonly tunnels: readonly { readonly version: string; readonly connectedAt: string; readonly catalogs: readonly string[] }[];
}

const TITLES = ['NAME', 'POOL', 'STATE', 'TUNNELS', 'CATALOGS', 'VERSION', 'CONNECTED', 'LABELS', 'ID'];

/** Follows the pages to the last. */
async function readAllWorkers(api: ApiClient, signal: AbortSignal): Promise<readonly WorkerRow[]> {
  const all: WorkerRow[] = [];
  let cursor: string | undefined;
  do {
    const page = (await api.call(
      'GET',
      cursor === undefined ? '/v1/workers' : `/v1/workers?cursor=${encodeURIComponent(cursor)}`,
      signal,
    )) as WorkersPage;
    all.push(...page.workers);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return all;
}

interface WorkersPage {
  readonly workers: readonly WorkerRow[];
  readonly nextCursor?: string;
}

export function workersTable(workers: readonly WorkerRow[]): string {
  if (workers.length === 0) {
    return 'No workers yet. `jetbridge enroll-token create --name NAME` makes the token for one.\n';
  }
  const lines = [TITLES, ...workers.map(cellsOfWorker)];
  const widths = TITLES.map((_, i) => Math.max(...lines.map((line) => displayWidth(line[i] ?? ''))));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, i) => padCell(cell, widths[i] ?? 0, false))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function cellsOfWorker({ id, name, pool, labels, state, online, tunnels }: WorkerRow): readonly string[] {
  const [first] = tunnels;
  const catalogs = [...new Set(tunnels.flatMap((tunnel) => tunnel.catalogs))].sort();
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const cells = [
    name,
    pool,
    stateOf(state, online),
    String(tunnels.length),
    catalogs.join(','),
    first?.version ?? '',
    first?.connectedAt ?? '',
    pairs.join(','),
    id,
  ];
  return cells.map((cell) => (cell === '' ? '-' : visibleText(cell)));
}

function stateOf(state: string, online: boolean): string {
  if (state !== 'active') {
    return state;
  }
  return online ? 'online' : 'offline';
}

function help(): string {
  return renderHelp({
    usage: 'jetbridge workers list [FLAGS]',
    about: 'Lists the workers that enrolled and whether their tunnel is up.',
    flags: FLAGS,
    examples: [
      'jetbridge workers list',
      'jetbridge workers list --json | jq .',
      'jetbridge workers list --api-url https://jetbridge.example.com:8443 --ca ca.pem --token jba_...',
    ],
  });
}
