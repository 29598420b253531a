import { parseArgs } from 'node:util';
import { StatusError } from '@jetbridge/proto/status-error';

/** Exit codes follow sysexits: 64 is a wrong command line, 1 a failure of what was asked for. */
export const EXIT_OK = 0;
const EXIT_FAILURE = 1;
export const EXIT_USAGE = 64;

/** The command line itself is wrong: one line for the reader, exit 64. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Something the person can put right: one line, no stack, exit 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** One flag of a subcommand. `value` names what follows the flag in help; a flag without it is a switch. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  readonly value?: string;
  readonly multiple?: boolean;
  readonly about: string;
}

export interface Arguments {
  readonly text: (name: string) => string | undefined;
  readonly list: (name: string) => readonly string[];
  readonly on: (name: string) => boolean;
  readonly positionals: readonly string[];
}

export interface Grammar {
  /** As typed, for messages: `jetbridge sql`. */
  readonly command: string;
  readonly flags: readonly Flag[];
  readonly positionals?: number;
}

/** Reads arguments against a grammar; whatever does not fit is a UsageError that says what was probably meant. */
export function parseArguments(grammar: Grammar, args: readonly string[]): Arguments {
  const options = Object.fromEntries(
    grammar.flags.map((flag) => [
      flag.name,
      {
        type: flag.value === undefined ? ('boolean' as const) : ('string' as const),
        multiple: true as const,
        ...(flag.short === undefined ? {} : { short: flag.short }),
      },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const values = new Map<string, string[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') {
      positionals.push(token.value);
    } else if (token.kind === 'option') {
      readFlag(grammar, token, values);
    }
  }
  const extra = positionals[grammar.positionals ?? 0];
  if (extra !== undefined) {
    throw new UsageError(`${grammar.command} does not take '${extra}'; see \`${grammar.command} --help\``);
  }
  return {
    text: (name) => values.get(name)?.at(-1),
    list: (name) => values.get(name) ?? [],
    on: (name) => values.has(name),
    positionals,
  };
}

function readFlag(
  grammar: Grammar,
  token: { readonly name: string; readonly rawName: string; readonly value: string | undefined },
  values: Map<string, string[]>,
): void {
  const flag = grammar.flags.find(({ name }) => name === token.name);
  if (flag === undefined) {
    const near = nearest(
      token.name,
      grammar.flags.map(({ name }) => name),
    );
    throw new UsageError(
      `${grammar.command} has no flag ${token.rawName}${near === undefined ? '.' : `; did you mean --${near}?`} See \`${grammar.command} --help\``,
    );
  }
  if (flag.value === undefined && token.value !== undefined) {
    throw new UsageError(`--${flag.name} takes no value`);
  }
  if (flag.value !== undefined && token.value === undefined) {
    throw new UsageError(`--${flag.name} needs a value: --${flag.name} ${flag.value}`);
  }
  const previous = values.get(flag.name);
  if (previous !== undefined && flag.value !== undefined && flag.multiple !== true) {
    throw new UsageError(`--${flag.name} was given twice`);
  }
  values.set(flag.name, [...(previous ?? []), token.value ?? '']);
}

/** The closest of the candidates, when it is close enough to be what was meant. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({
      candidate,
      distance: candidate.startsWith(word) || word.startsWith(candidate) ? 1 : editDistance(word, candidate),
    }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= Math.max(1, Math.floor(word.length / 3)) ? best.candidate : undefined;
}

/** Letters to insert, delete, replace or swap with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let i = 1; i <= a.length; i += 1) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : replaced;
      rows[i]?.push(Math.min(replaced, swapped, at(i - 1, j) + 1, at(i, j - 1) + 1));
    }
  }
  return at(a.length, b.length);
}

/** A TCP port; 0 asks for any free one. */
export function parsePort(flag: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) {
    throw new UsageError(`--${flag} must be a port from 0 to 65535 (0 = any free port), not '${text}'`);
  }
  return port;
}

/** A whole number of `least` to `most`. */
export function parseCount(flag: string, text: string, least: number, most: number): number {
  const count = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= least && count <= most)) {
    throw new UsageError(`--${flag} must be a number from ${least} to ${most}, not '${text}'`);
  }
  return count;
}

/** What to print and which code to exit with when a command ended in this. Only the unexpected shows a stack. */
export function describeFailure(thrown: unknown): { readonly text: string; readonly exitCode: number } {
  if (thrown instanceof UsageError) {
    return { text: thrown.message, exitCode: EXIT_USAGE };
  }
  if (thrown instanceof CommandError) {
    return { text: thrown.message, exitCode: EXIT_FAILURE };
  }
  if (thrown instanceof StatusError) {
    return {
      text: thrown.code === 'internal' && thrown.cause instanceof Error ? `${thrown.message}: ${thrown.cause.message}` : thrown.message,
      exitCode: EXIT_FAILURE,
    };
  }
  return { text: thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown), exitCode: EXIT_FAILURE };
}
