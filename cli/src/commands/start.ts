import { resolve } from 'node:path';
import { DEFAULT_DATA_DIR, readEnvironment } from '../config.ts';
import { HELP_FLAG, renderHelp } from '../help.ts';
import { GATEWAYS_MAX } from '../limits.ts';
import { runAllInOne } from '../start/all-in-one.ts';
import { type Arguments, EXIT_OK, type Flag, parseArguments, parseCount, parsePort } from '../usage.ts';

const FLAGS: readonly Flag[] = [
  {
    name: 'data',
    value: 'DIR',
    about:
      'Serve this directory of Parquet, CSV, JSON and DuckDB files: a view for each file, a schema for each subfolder. Without it a sample data set is generated.',
  },
  {
    name: 'data-dir',
    value: 'DIR',
    about: `Where all state is kept (JETBRIDGE_DATA_DIR, default ${DEFAULT_DATA_DIR}). Only this account can read it.`,
  },
  {
    name: 'flight-port',
    value: 'PORT',
    about: 'Where clients connect with Flight SQL (default 31337). 0 takes any free port, here and below.',
  },
  { name: 'tunnel-port', value: 'PORT', about: 'Where workers open their tunnels (default 31338).' },
  { name: 'http-port', value: 'PORT', about: 'Where the API answers (default 8443).' },
  {
    name: 'gateways',
    value: 'N',
    about: `Gateway processes, 1 to ${GATEWAYS_MAX} (default 1), which share the Flight port: each uses one core, and when one dies the others go on. The worker opens a tunnel to each; those of further gateways take any free port.`,
  },
  {
    name: 'ready-file',
    value: 'FILE',
    about:
      'Written when a statement has run through everything: JSON with flightUri, caFile, apiUrl, tunnelAddress, username, password and pids. It holds the password: only this account can read it.',
  },
  HELP_FLAG,
];

/** `jetbridge start` */
export async function start(args: readonly string[]): Promise<number> {
  const given = parseArguments({ command: 'jetbridge start', flags: FLAGS }, args);
  if (given.on('help')) {
    process.stdout.write(help());
    return EXIT_OK;
  }
  const environment = readEnvironment();
  const readyFile = given.text('ready-file');
  return runAllInOne({
    dataDir: resolve(given.text('data-dir') ?? environment.dataDir),
    isDefaultDataDir: resolve(given.text('data-dir') ?? environment.dataDir) === environment.dataDir,
    data: given.text('data'),
    readyFile: readyFile === undefined ? undefined : resolve(readyFile),
    ports: {
      flight: port(given, 'flight-port', 31_337),
      tunnel: port(given, 'tunnel-port', 31_338),
      http: port(given, 'http-port', 8_443),
    },
    gateways: parseCount('gateways', given.text('gateways') ?? '1', 1, GATEWAYS_MAX),
    accessToken: environment.accessToken,
  });
}

function port(args: Arguments, flag: string, fallback: number): number {
  const text = args.text(flag);
  return text === undefined ? fallback : parsePort(flag, text);
}

function help(): string {
  return renderHelp({
    usage: 'jetbridge start [FLAGS]',
    about:
      'Starts control-api, gateway and worker on this machine, as processes that talk as they would over a network.\nListens on 127.0.0.1 only. Ctrl-C stops everything; starting again keeps all state.',
    flags: FLAGS,
    examples: [
      'jetbridge start',
      'jetbridge start --data ~/parquet-files',
      'jetbridge start --gateways 2',
      'jetbridge start --data-dir /tmp/second --ready-file /tmp/second.json --flight-port 0 --tunnel-port 0 --http-port 0',
    ],
    notes: 'The logs of the processes are in run/ in the data directory.',
  });
}
