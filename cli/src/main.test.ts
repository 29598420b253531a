import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { CommandRun } from './testing/run-commands.ts';
import { nearest, parseArguments, parsePort } from './usage.ts';

const DRIVER = fileURLToPath(new URL('./testing/run-commands.ts', import.meta.url));
const COMMANDS = [['start'], ['sql'], ['workers', 'list'], ['enroll-token', 'create'], ['worker'], ['gateway'], ['control-api']];

/** Runs command lines in a process of their own, one after the other. */
async function jetbridge(commands: readonly (readonly string[])[], dataDir: string): Promise<readonly CommandRun[]> {
  const child = spawn(process.execPath, ['--conditions=jetbridge', '--disable-warning=ExperimentalWarning', DRIVER], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '', JETBRIDGE_TOKEN: '', JETBRIDGE_PASSWORD: '', JETBRIDGE_DATA_DIR: dataDir },
  });
  child.stdin.end(JSON.stringify(commands));
  return JSON.parse(await text(child.stdout)) as readonly CommandRun[];
}

t.test('help', async (t) => {
  const [overview, bare, ...pages] = await jetbridge([['--help'], [], ...COMMANDS.map((command) => [...command, '--help'])], t.testdir());
  t.equal(overview?.code, 0);
  t.strictSame(bare, overview);
  for (const [i, command] of COMMANDS.entries()) {
    t.match(overview?.out, new RegExp(`^ {2}${command.join(' ')} {2,}\\S`, 'm'));
    const { code, out } = pages[i] ?? { code: -1, out: '' };
    t.equal(code, 0, command.join(' '));
    t.match(out, `Usage: jetbridge ${command.join(' ')}`);
    t.match(out, '\nExamples:\n');
    t.strictSame(
      out.split('\n').filter((line) => line.length > 120),
      [],
      'fits a terminal',
    );
  }
});

t.test('one golden page', async (t) => {
  const [page] = await jetbridge([['start', '--help']], t.testdir());
  t.equal(
    page?.out,
    `Usage: jetbridge start [FLAGS]

Starts control-api, gateway and worker on this machine, as processes that talk as they would over a
network. Listens on 127.0.0.1 only. Ctrl-C stops everything; starting again keeps all state.

Flags:
      --data DIR          Serve this directory of Parquet, CSV, JSON and DuckDB files: a view for
                          each file, a schema for each subfolder. Without it a sample data set is
                          generated.
      --data-dir DIR      Where all state is kept (JETBRIDGE_DATA_DIR, default ./jetbridge-data).
                          Only this account can read it.
      --flight-port PORT  Where clients connect with Flight SQL (default 31337). 0 takes any free
                          port, here and below.
      --tunnel-port PORT  Where workers open their tunnels (default 31338).
      --http-port PORT    Where the API answers (default 8443).
      --gateways N        Gateway processes, 1 to 8 (default 1), which share the Flight port: each
                          uses one core, and when one dies the others go on. The worker opens a
                          tunnel to each; those of further gateways take any free port.
      --ready-file FILE   Written when a statement has run through everything: JSON with flightUri,
                          caFile, apiUrl, tunnelAddress, username, password and pids. It holds the
                          password: only this account can read it.
  -h, --help              Show this page.

Examples:
  jetbridge start
  jetbridge start --data ~/parquet-files
  jetbridge start --gateways 2
  jetbridge start --data-dir /tmp/second --ready-file /tmp/second.json --flight-port 0 --tunnel-port 0 --http-port 0

The logs of the processes are in run/ in the data directory.
`,
  );
});

t.test('what is wrong with a command line is one line, exit 64', async (t) => {
  const directory = t.testdir({ file: '' });
  const cases: readonly (readonly [args: readonly string[], line: string])[] = [
    [['strat'], "there is no command 'strat'; did you mean `jetbridge start`? See `jetbridge --help`"],
    [['frobnicate'], "there is no command 'frobnicate'. See `jetbridge --help`"],
    [['--json'], 'there is no flag --json before a subcommand; see `jetbridge --help`'],
    [['workers'], 'workers needs a subcommand; did you mean `jetbridge workers list`?'],
    [['enroll-token', 'crate'], "enroll-token has no subcommand 'crate'; did you mean `jetbridge enroll-token create`?"],
    [
      ['start', '--flight-prot', '1'],
      'jetbridge start has no flag --flight-prot; did you mean --flight-port? See `jetbridge start --help`',
    ],
    [['start', '--http-port', '70000'], "--http-port must be a port from 0 to 65535 (0 = any free port), not '70000'"],
    [['start', '--gateways', '9'], "--gateways must be a number from 1 to 8, not '9'"],
    [['start', '--data'], '--data needs a value: --data DIR'],
    [['start', 'here'], "jetbridge start does not take 'here'; see `jetbridge start --help`"],
    [['sql', '--format', 'jsn', '-c', '1'], "--format is one of table, csv, json, arrow, not 'jsn'; did you mean json?"],
    [['sql', '-c', '1', '-f', 'x'], 'give either --command or --file, not both'],
    [['sql', '--max-rows', 'all', '-c', '1'], "--max-rows takes a number of rows, not 'all'"],
    [['enroll-token', 'create'], '--name is needed: --name NAME'],
    [['enroll-token', 'create', '--name', 'A_b'], "--name takes lower-case letters, digits and hyphens, at most 63 characters, not 'A_b'"],
    [['enroll-token', 'create', '--name', 'a', '--kind', 'gateway', '--pool', 'x'], '--pool is not for a gateway'],
    [['enroll-token', 'create', '--name', 'a', '--ttl', 'soon'], "--ttl takes a time such as 30m, 1h or 600s, not 'soon'"],
    [['worker', '--control', 'x'], 'jetbridge worker has no flag --control; did you mean --control-url? See `jetbridge worker --help`'],
  ];
  const runs = await jetbridge(
    cases.map(([args]) => args),
    directory,
  );
  for (const [i, [args, line]] of cases.entries()) {
    t.strictSame(runs[i], { code: 64, out: '', err: `jetbridge: ${line}\n` }, args.join(' '));
  }
});

t.test('what cannot be done is one line, exit 1', async (t) => {
  const directory = t.testdir({ file: '', full: { 'letter.txt': '' }, empty: {} });
  const nothingRuns = `no mesh is ready on ${directory}/empty; start one with \`jetbridge start\`, or name another with --data-dir or`;
  const cases: readonly (readonly [args: readonly string[], line: string])[] = [
    [['start', '--data', `${directory}/absent`], `--data ${directory}/absent: there is no such directory`],
    [['start', '--data-dir', `${directory}/file`], `the data directory ${directory}/file is a file; choose another with --data-dir`],
    [
      ['start', '--data-dir', `${directory}/full`],
      `${directory}/full holds other files and is no data directory of Jetbridge; choose an empty or new one with --data-dir`,
    ],
    [
      ['start', '--ready-file', `${directory}/absent/r.json`],
      `--ready-file ${directory}/absent/r.json: its directory does not exist or cannot be written`,
    ],
    [['sql', '-c', 'SELECT 1', '--data-dir', `${directory}/empty`], `${nothingRuns} --uri`],
    [['workers', 'list', '--data-dir', `${directory}/empty`], `${nothingRuns} --api-url`],
    [
      ['sql', '--uri', 'localhost:1', '--token', 'x', '-c', 'SELECT 1'],
      "'localhost:1' is not the address of a Flight SQL endpoint; it looks like grpc+tls://HOST:PORT",
    ],
  ];
  const runs = await jetbridge(
    cases.map(([args]) => args),
    `${directory}/unused`,
  );
  for (const [i, [args, line]] of cases.entries()) {
    t.strictSame(runs[i], { code: 1, out: '', err: `jetbridge: ${line}\n` }, args.join(' '));
  }
});

t.test('flags', async (t) => {
  const grammar = {
    command: 'x',
    flags: [
      { name: 'one', value: 'V', about: '' },
      { name: 'many', short: 'm', value: 'V', multiple: true, about: '' },
      { name: 'on', about: '' },
    ],
  };
  const args = parseArguments(grammar, ['--one=1', '-m', 'a', '--many', 'b', '--on']);
  t.strictSame(
    [args.text('one'), args.list('many'), args.on('on'), args.on('one'), args.text('absent')],
    ['1', ['a', 'b'], true, true, undefined],
  );
  t.throws(() => parseArguments(grammar, ['--one', '1', '--one', '2']), /--one was given twice/);
  t.throws(() => parseArguments(grammar, ['--on=1']), /--on takes no value/);
  t.equal(nearest('lable', ['label', 'pool']), 'label');
  t.equal(nearest('zzz', ['label', 'pool']), undefined);
  t.equal(parsePort('x', '0'), 0);
});
