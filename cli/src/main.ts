import { JETBRIDGE_VERSION } from '@jetbridge/proto/version';
import { describeFailure, EXIT_OK, nearest, UsageError } from './usage.ts';

/** A subcommand answers its exit code. Modules load only when asked for: `sql` must not pay for what `start` needs. */
type Command = (args: readonly string[]) => Promise<number>;

interface Entry {
  readonly words: readonly string[];
  readonly about: string;
  readonly load: () => Promise<Command>;
}

const ENTRIES: readonly Entry[] = [
  {
    words: ['start'],
    about: 'Start control-api, gateway and worker on this machine.',
    load: async () => (await import('./commands/start.ts')).start,
  },
  {
    words: ['sql'],
    about: 'Query through the gateway: a prompt, -c, -f or a pipe.',
    load: async () => (await import('./commands/sql.ts')).sql,
  },
  {
    words: ['workers', 'list'],
    about: 'List the workers and whether they are online.',
    load: async () => (await import('./commands/workers.ts')).listWorkers,
  },
  {
    words: ['enroll-token', 'create'],
    about: 'Create the one-time token that lets a worker or gateway join.',
    load: async () => (await import('./commands/enroll-token.ts')).createEnrollmentToken,
  },
  {
    words: ['worker'],
    about: 'Run a worker: the process beside the data.',
    load: async () => (await import('./commands/worker.ts')).worker,
  },
  {
    words: ['gateway'],
    about: 'Run a gateway: the process clients connect to.',
    load: async () => (await import('./commands/gateway.ts')).gateway,
  },
  {
    words: ['control-api'],
    about: 'Run the control-api: people, enrollment, audit and the API.',
    load: async () => (await import('./commands/control-api.ts')).controlApi,
  },
];

/** Runs one command line; never throws. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args);
  } catch (thrown) {
    const { text, exitCode } = describeFailure(thrown);
    process.stderr.write(`jetbridge: ${text}\n`);
    return exitCode;
  }
}

async function dispatch(args: readonly string[]): Promise<number> {
  const [first] = args;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    return help(args.slice(1));
  }
  if (first === '--version' || first === '-V' || first === 'version') {
    process.stdout.write(`jetbridge ${JETBRIDGE_VERSION}\n`);
    return EXIT_OK;
  }
  const entry = findEntry(args);
  const command = await entry.load();
  return command(args.slice(entry.words.length));
}

async function help(topic: readonly string[]): Promise<number> {
  if (topic.length > 0) {
    return (await findEntry(topic).load())(['--help']);
  }
  process.stdout.write(overview());
  return EXIT_OK;
}

function findEntry(args: readonly string[]): Entry {
  const entry = ENTRIES.find(({ words }) => words.every((word, i) => args[i] === word));
  if (entry !== undefined) {
    return entry;
  }
  const [first = '', second] = args;
  const group = ENTRIES.find(({ words }) => words[0] === first);
  if (group !== undefined) {
    const wrong = second === undefined || second.startsWith('-') ? 'needs a subcommand' : `has no subcommand '${second}'`;
    throw new UsageError(`${first} ${wrong}; did you mean \`jetbridge ${group.words.join(' ')}\`?`);
  }
  if (first.startsWith('-')) {
    throw new UsageError(`there is no flag ${first} before a subcommand; see \`jetbridge --help\``);
  }
  const near = nearest(
    first,
    ENTRIES.map(({ words }) => words[0] ?? ''),
  );
  throw new UsageError(
    `there is no command '${first}'${near === undefined ? '.' : `; did you mean \`jetbridge ${near}\`?`} See \`jetbridge --help\``,
  );
}

function overview(): string {
  const width = Math.max(...ENTRIES.map(({ words }) => words.join(' ').length));
  return `Usage: jetbridge COMMAND [FLAGS]

One Arrow Flight SQL endpoint over data that never leaves its own network.

Commands:
${ENTRIES.map(({ words, about }) => `  ${words.join(' ').padEnd(width)}  ${about}`).join('\n')}

Examples:
  jetbridge start                          # the whole mesh here, with sample data
  jetbridge start --data ~/parquet-files   # ... with your own Parquet, CSV, JSON and DuckDB files
  jetbridge sql                            # a prompt on the mesh that runs here
  jetbridge sql -c 'SELECT 42'             # one statement; csv when piped

\`jetbridge COMMAND --help\` explains one command. \`jetbridge --version\` prints the version.
`;
}

if (import.meta.main) {
  // grpc-js names an IP address as TLS server name, which Node warns of at every connection; deprecations are for developers.
  process.noDeprecation = true;
  process.exitCode = await main(process.argv.slice(2));
}
