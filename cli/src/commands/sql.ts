import { resolve } from 'node:path';
import { readEnvironment } from '../config.ts';
import { HELP_FLAG, renderHelp } from '../help.ts';
import { runDotCommand } from '../sql/dot-commands.ts';
import { FlightClient } from '../sql/flight-client.ts';
import { FORMATS, type Format } from '../sql/formats.ts';
import { StreamOutput } from '../sql/output.ts';
import { allStatements, openScript, statementsOf } from '../sql/script.ts';
import { runShell } from '../sql/shell.ts';
import { CONNECTION_FLAGS, planConnection } from '../sql/sign-in.ts';
import { runStatement, type Screen } from '../sql/statement-runner.ts';
import { type Arguments, CommandError, EXIT_OK, type Flag, nearest, parseArguments, UsageError } from '../usage.ts';

const FLAGS: readonly Flag[] = [
  { name: 'command', short: 'c', value: 'SQL', multiple: true, about: 'Run these statements and leave. May be given several times.' },
  { name: 'file', short: 'f', value: 'FILE', about: 'Run the statements of a file and leave; - is standard input.' },
  { name: 'format', value: FORMATS.join('|'), about: 'How results are printed. Default: table on a terminal, csv otherwise.' },
  { name: 'max-rows', value: 'N', about: 'Rows shown of each result; 0 shows all. Default: 1000 for tables on a terminal, otherwise all.' },
  ...CONNECTION_FLAGS,
  HELP_FLAG,
];

const EXIT_INTERRUPTED = 130;

/** `jetbridge sql` */
export async function sql(args: readonly string[]): Promise<number> {
  const given = parseArguments({ command: 'jetbridge sql', flags: FLAGS }, args);
  if (given.on('help')) {
    process.stdout.write(help());
    return EXIT_OK;
  }
  if (given.on('command') && given.on('file')) {
    throw new UsageError('give either --command or --file, not both');
  }
  const output = new StreamOutput(process.stdout);
  const screen: Screen = {
    output,
    messages: process.stderr,
    display: { format: formatOf(given, output.isTerminal), maxRows: maxRowsOf(given) },
  };
  const environment = readEnvironment();
  const source = statementSource(given);
  const plan = await planConnection(withAbsoluteDataDir(given), environment, { input: process.stdin, output: process.stderr });
  const client = new FlightClient(plan.address, plan.signIn);
  try {
    if (source === undefined) {
      const terminal = process.stdout.isTTY ? process.stdout : process.stderr;
      await runShell({ client, screen, historyFile: environment.historyFile, input: process.stdin, terminal });
      return EXIT_OK;
    }
    return await runScript(client, source, screen);
  } finally {
    await client.close();
  }
}

/** Runs statements in order; the first that fails ends the run. Ctrl-C cancels and leaves; a second one leaves at once. */
async function runScript(client: FlightClient, statements: AsyncIterable<string> | Iterable<string>, screen: Screen): Promise<number> {
  const stop = new AbortController();
  const interrupt = (): void => {
    if (stop.signal.aborted) {
      process.exit(EXIT_INTERRUPTED);
    }
    stop.abort();
  };
  process.on('SIGINT', interrupt);
  const signal = AbortSignal.any([stop.signal, screen.output.closed]);
  try {
    for await (const statement of statements) {
      if (statement.startsWith('.')) {
        if ((await runDotCommand(statement, client, screen, signal)) === 'leave') {
          break;
        }
      } else {
        await runStatement(client, statement, screen, signal);
      }
      signal.throwIfAborted();
    }
    return EXIT_OK;
  } catch (error) {
    if (screen.output.closed.aborted) {
      // The reader has what it wanted.
      return EXIT_OK;
    }
    if (stop.signal.aborted) {
      process.stderr.write('jetbridge: cancelled\n');
      return EXIT_INTERRUPTED;
    }
    throw error;
  } finally {
    process.off('SIGINT', interrupt);
    // Standard input may still be open when a statement failed.
    process.stdin.destroy();
  }
}

/** Undefined when there is a person to ask. */
function statementSource(args: Arguments): AsyncIterable<string> | Iterable<string> | undefined {
  if (args.on('command')) {
    return args.list('command').flatMap(allStatements);
  }
  const file = args.text('file') ?? (process.stdin.isTTY ? undefined : '-');
  return file === undefined ? undefined : readScript(file);
}

async function* readScript(file: string): AsyncGenerator<string> {
  try {
    yield* statementsOf(openScript(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw code === undefined || typeof code !== 'string' || !/^E[A-Z]+$/.test(code)
      ? error
      : new CommandError(`cannot read ${file} (${code})`);
  }
}

function formatOf(args: Arguments, isTerminal: boolean): Format {
  const name = args.text('format');
  if (name === undefined) {
    return isTerminal ? 'table' : 'csv';
  }
  const format = FORMATS.find((known) => known === name);
  if (format === undefined) {
    const near = nearest(name, FORMATS);
    throw new UsageError(`--format is one of ${FORMATS.join(', ')}, not '${name}'${near === undefined ? '' : `; did you mean ${near}?`}`);
  }
  if (format === 'arrow' && isTerminal) {
    throw new UsageError('--format arrow is binary: redirect it to a file or a program');
  }
  return format;
}

function maxRowsOf(args: Arguments): number | undefined {
  const text = args.text('max-rows');
  if (text !== undefined && !/^\d{1,15}$/.test(text)) {
    throw new UsageError(`--max-rows takes a number of rows, not '${text}'`);
  }
  return text === undefined ? undefined : Number(text);
}

function withAbsoluteDataDir(args: Arguments): Arguments {
  return {
    ...args,
    text: (name) => (name === 'data-dir' && args.text(name) !== undefined ? resolve(args.text(name) ?? '') : args.text(name)),
  };
}

function help(): string {
  return renderHelp({
    usage: 'jetbridge sql [FLAGS]',
    about:
      'Queries through the gateway with Flight SQL, like any other client. Without -c, -f or a pipe it opens a prompt;\nbeside a mesh of `jetbridge start` it needs no flags.',
    flags: FLAGS,
    examples: [
      'jetbridge sql',
      "jetbridge sql -c 'SELECT count(*) FROM lineitem'",
      'jetbridge sql -f report.sql --format json | jq .',
      "echo 'SELECT 42 AS answer' | jetbridge sql",
      "jetbridge sql -c 'FROM lineitem' --format arrow > lineitem.arrows",
      'JETBRIDGE_TOKEN=jba_... jetbridge sql --uri grpc+tls://gateway.example.com:31337 --ca ca.pem',
    ],
    notes: `Results of any size pass through without being held in memory. csv: with a header, NULL is an empty field and an
empty text is "". json: an array with one object a line, numbers with all their digits. arrow: an IPC stream for
each result. The first statement that fails ends -c and -f with exit code 1. Dot commands such as .tables work everywhere; .help lists them.`,
  });
}
