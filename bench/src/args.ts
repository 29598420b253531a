import { parseArgs } from 'node:util';

export interface BenchArguments {
  readonly command: 'bench' | 'check';
  /** Empty: all. */
  readonly scenarios: readonly string[];
  readonly peers: readonly string[];
  readonly repeats: number;
  readonly json: boolean;
  readonly out: string | undefined;
  readonly list: boolean;
  readonly saveBaseline: boolean;
}

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

const REPEATS = 5;
const CHECK_REPEATS = 3;
const REPEATS_MAX = 1000;

export const USAGE = `npm run bench -- [--scenario NAME]… [--peer NAME]… [--repeats N] [--json] [--out DIR] [--list]
npm run bench:check -- [--scenario NAME]… [--peer NAME]… [--repeats N] [--json] [--save-baseline]
`;

export function parseBenchArguments(args: readonly string[]): BenchArguments {
  const { values, positionals } = parsed(args);
  const [command = 'bench', ...rest] = positionals;
  if ((command !== 'bench' && command !== 'check') || rest.length > 0) {
    throw new UsageError(`unknown command: ${positionals.join(' ')}`);
  }
  if (values['save-baseline'] === true && command !== 'check') {
    throw new UsageError('--save-baseline belongs to bench:check');
  }
  return {
    command,
    scenarios: values.scenario ?? [],
    peers: values.peer ?? [],
    repeats: parseRepeats(values.repeats, command === 'check' ? CHECK_REPEATS : REPEATS),
    json: values.json ?? false,
    out: values.out,
    list: values.list ?? false,
    saveBaseline: values['save-baseline'] ?? false,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        scenario: { type: 'string', multiple: true },
        peer: { type: 'string', multiple: true },
        repeats: { type: 'string' },
        json: { type: 'boolean' },
        out: { type: 'string' },
        list: { type: 'boolean' },
        'save-baseline': { type: 'boolean' },
      },
    });
  } catch (thrown) {
    throw new UsageError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function parseRepeats(text: string | undefined, fallback: number): number {
  const repeats = text === undefined ? fallback : Number(text);
  if (!Number.isInteger(repeats) || repeats < 1 || repeats > REPEATS_MAX) {
    throw new UsageError(`--repeats takes a number from 1 to ${REPEATS_MAX}`);
  }
  return repeats;
}

/** The named ones in the order of `known`; all when none is named. */
export function chosen<T extends { readonly name: string }>(what: string, known: readonly T[], names: readonly string[]): readonly T[] {
  const unknown = names.filter((name) => !known.some((one) => one.name === name));
  if (unknown.length > 0) {
    throw new UsageError(`no ${what} is called ${unknown.join(', ')}; there are ${known.map(({ name }) => name).join(', ')}`);
  }
  return names.length === 0 ? known : known.filter(({ name }) => names.includes(name));
}
