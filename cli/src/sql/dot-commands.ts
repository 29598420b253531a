import { RecordBatchReader } from 'apache-arrow';
import { CommandError, nearest } from '../usage.ts';
import { readBatches } from './arrow-ipc.ts';
import { cellsOf } from './cells.ts';
import type { FlightClient } from './flight-client.ts';
import { FORMATS, type Format } from './formats.ts';
import { type Screen, showOutcome } from './statement-runner.ts';
import { visibleText } from './text-width.ts';

/** What the prompt does after a dot command. */
export type Verdict = 'go-on' | 'leave';

type DotCommand = (argument: string, client: FlightClient, screen: Screen, signal: AbortSignal) => Promise<Verdict>;

const HELP = `.help             this list
.quit             leave (also Ctrl-D)
.tables [NAME]    the tables, or those whose name matches (% and _ are wildcards)
.schema [NAME]    their columns and types
.mode [FORMAT]    show or set the output format: ${FORMATS.join(', ')}
.rows [N]         show or set how many rows of a result are shown; 0 shows all
A statement ends with a semicolon and may span lines. Ctrl-C cancels the running statement, or clears the line.
`;

const TYPE_NAME = 'ARROW:FLIGHT:SQL:TYPE_NAME';

const leave: DotCommand = async () => 'leave';

const COMMANDS: Readonly<Record<string, DotCommand>> = {
  help: async (_argument, _client, screen) => {
    await screen.output.write(HELP);
    return 'go-on';
  },
  quit: leave,
  exit: leave,
  mode: async (argument, _client, screen) => {
    const format = FORMATS.find((name) => name === argument);
    if (argument !== '' && (format === undefined || (format === 'arrow' && screen.output.isTerminal))) {
      throw new CommandError(
        format === 'arrow' ? 'arrow is binary and cannot be shown on a terminal' : `.mode takes one of ${FORMATS.join(', ')}`,
      );
    }
    screen.display.format = format ?? screen.display.format;
    await screen.output.write(`mode: ${screen.display.format satisfies Format}\n`);
    return 'go-on';
  },
  rows: async (argument, _client, screen) => {
    if (!/^\d{0,15}$/.test(argument)) {
      throw new CommandError('.rows takes a number; 0 shows all rows');
    }
    screen.display.maxRows = argument === '' ? screen.display.maxRows : Number(argument);
    await screen.output.write(`rows: ${screen.display.maxRows ?? 'default'}\n`);
    return 'go-on';
  },
  tables: async (pattern, client, screen, signal) => {
    await showOutcome(async () => ({ kind: 'rows', messages: await client.query(tablesCommand(pattern, false), signal) }), screen, signal);
    return 'go-on';
  },
  schema: async (pattern, client, screen, signal) => {
    await showSchemas(pattern, client, screen, signal);
    return 'go-on';
  },
};

/** Runs a line that begins with a dot. */
export function runDotCommand(line: string, client: FlightClient, screen: Screen, signal: AbortSignal): Promise<Verdict> {
  const [, name = '', argument = ''] = /^\.(\S*)\s*(.*?)\s*;?\s*$/.exec(line.trim()) ?? [];
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const near = nearest(name, Object.keys(COMMANDS));
    throw new CommandError(`there is no command .${name}${near === undefined ? ';' : `; did you mean .${near}?`} .help lists them`);
  }
  return command(argument, client, screen, signal);
}

function tablesCommand(pattern: string, includeSchema: boolean): Parameters<FlightClient['query']>[0] {
  return { kind: 'get_tables', tableTypes: [], includeSchema, ...(pattern === '' ? {} : { tableNameFilterPattern: pattern }) };
}

/** The schema of each table arrives as Arrow; types are named as the server names them where it does. */
async function showSchemas(pattern: string, client: FlightClient, screen: Screen, signal: AbortSignal): Promise<void> {
  const result = await readBatches(await client.query(tablesCommand(pattern, true), signal));
  let found = 0;
  for await (const batch of result.batches) {
    const cells = cellsOf(batch);
    const schemas = batch.getChild('table_schema');
    for (let row = 0; row < batch.numRows; row += 1, found += 1) {
      const name = [0, 1, 2]
        .map((i) => (cells[i]?.isNull(row) === false ? visibleText(cells[i].text(row)) : ''))
        .filter((part) => part !== '');
      const { fields } = RecordBatchReader.from(schemas?.get(row) as Uint8Array).open().schema;
      const columns = fields.map(
        (field) =>
          `  ${visibleText(field.name)} ${visibleText(field.metadata.get(TYPE_NAME) ?? String(field.type))}${field.nullable ? '' : ' NOT NULL'}`,
      );
      await screen.output.write(`${name.join('.')} (\n${columns.join(',\n')}\n)\n`);
    }
  }
  if (found === 0) {
    await screen.output.write(pattern === '' ? 'there are no tables\n' : `no table matches ${pattern}\n`);
  }
}
