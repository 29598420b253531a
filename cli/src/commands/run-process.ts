import { resolve } from 'node:path';
import { applySettings } from '../config.ts';
import { HELP_FLAG, renderHelp } from '../help.ts';
import { EXIT_OK, type Flag, parseArguments } from '../usage.ts';

/** A flag that stands for a variable of the process's environment. Paths are made absolute. */
export interface SettingFlag extends Flag {
  readonly variable: string;
  readonly isPath?: boolean;
}

export interface ProcessCommand {
  readonly command: string;
  readonly about: string;
  readonly flags: readonly SettingFlag[];
  readonly examples: readonly string[];
  readonly notes?: string;
  readonly load: () => Promise<{ main(): Promise<void> }>;
}

/** Settings of every process. */
export const PROCESS_FLAGS: readonly SettingFlag[] = [
  { name: 'ready-file', value: 'FILE', variable: 'JETBRIDGE_READY_FILE', isPath: true, about: 'Written (JSON) when the process answers.' },
  { name: 'log-level', value: 'LEVEL', variable: 'JETBRIDGE_LOG_LEVEL', about: 'fatal, error, warn, info, debug or trace (default info).' },
];

/** Runs one process of the mesh here, until a signal ends it. */
export async function runProcess(process_: ProcessCommand, args: readonly string[]): Promise<number> {
  const flags = process_.flags.map((flag) => ({ ...flag, about: `${flag.about} [${flag.variable}]` }));
  const given = parseArguments({ command: process_.command, flags: [...flags, HELP_FLAG] }, args);
  if (given.on('help')) {
    process.stdout.write(
      renderHelp({
        usage: `${process_.command} [FLAGS]`,
        about: process_.about,
        flags: [...flags, HELP_FLAG],
        examples: process_.examples,
        notes: notesOf(process_),
      }),
    );
    return EXIT_OK;
  }
  applySettings(
    Object.fromEntries(
      process_.flags.flatMap(({ name, variable, isPath }) => {
        const value = given.text(name);
        return value === undefined ? [] : [[variable, isPath === true ? resolve(value) : value]];
      }),
    ),
  );
  const { main } = await process_.load();
  await main();
  return typeof process.exitCode === 'number' ? process.exitCode : EXIT_OK;
}

function notesOf({ notes }: ProcessCommand): string {
  const settings =
    'Every flag can be given as the environment variable in brackets instead; the flag wins. SIGTERM drains and ends; a second signal ends at once.';
  return notes === undefined ? settings : `${notes}\n\n${settings}`;
}
