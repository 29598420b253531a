import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchArguments, chosen, parseBenchArguments, USAGE, UsageError } from './args.ts';
import { check, scenariosForCheck } from './check.ts';
import { readCommit } from './commit.ts';
import { readInstalledTools } from './installed-tools.ts';
import { startLoadClient } from './load-client.ts';
import { describeMachine } from './machine.ts';
import type { Bench } from './peer.ts';
import { reasonOf } from './reason.ts';
import { checkReport } from './report/check-report.ts';
import { consoleReport, verdictText } from './report/console-report.ts';
import { resultsText, writeReports } from './report/files.ts';
import type { Results } from './results.ts';
import { Runner } from './runner.ts';
import { peers, scenarios } from './suite.ts';
import { targets } from './targets.ts';
import { judge } from './verdicts.ts';

const DATA_DIRECTORY = fileURLToPath(new URL('../.data/', import.meta.url));
const RESULTS_DIRECTORY = fileURLToPath(new URL('../results/', import.meta.url));
// A run of a part must not stand where the last whole one does.
const PARTIAL_DIRECTORY = join(DATA_DIRECTORY, 'results');
const LOAD_PROGRAM = fileURLToPath(new URL('../clients/python/load.py', import.meta.url));
const BASELINE_FILE = join(RESULTS_DIRECTORY, 'baseline.json');
const EXIT_FAILED = 1;
const EXIT_USAGE = 64;

async function main(): Promise<number> {
  const args = parseBenchArguments(process.argv.slice(2));
  if (args.list) {
    process.stdout.write(listing());
    return 0;
  }
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
  }
  const temporary = await mkdtemp(join(tmpdir(), 'jetbridge-bench-'));
  try {
    const results = await measure(args, temporary, stop.signal);
    return args.command === 'check' ? await gate(args, results) : await report(args, results);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function measure(args: BenchArguments, temporary: string, signal: AbortSignal): Promise<Results> {
  const tools = readInstalledTools();
  const bench: Bench = {
    duckdbFile: join(DATA_DIRECTORY, 'tpch.duckdb'),
    parquetDirectory: join(DATA_DIRECTORY, 'parquet'),
    temporary,
    tools,
    log: (line) => process.stderr.write(`${line}\n`),
  };
  const wanted = chosen('scenario', args.command === 'check' ? scenariosForCheck(scenarios, targets) : scenarios, args.scenarios);
  const runner = new Runner({
    bench,
    peers: chosen('peer', peers, args.peers),
    repeats: args.repeats,
    startLoadClient: () => startLoadClient({ program: tools.python ?? 'python3', args: ['-B', LOAD_PROGRAM] }),
    signal,
  });
  const startedAt = new Date().toISOString();
  try {
    await runner.runAll(wanted);
  } catch (error) {
    if (!signal.aborted || runner.results.length === 0) {
      throw error;
    }
    bench.log(`${reasonOf(signal.reason)}; what follows are the scenarios that were complete by then`);
  } finally {
    await runner.close();
  }
  const { results, missing } = runner;
  return { startedAt, ...readCommit(), repeats: args.repeats, machine: describeMachine(tools), scenarios: results, missing };
}

async function report(args: BenchArguments, results: Results): Promise<number> {
  const verdicts = judge(results, targets);
  process.stdout.write(args.json ? resultsText(results, verdicts) : consoleReport(results, verdicts));
  const isWhole = args.peers.length === 0 && results.scenarios.length === scenarios.length;
  const usual = isWhole ? RESULTS_DIRECTORY : PARTIAL_DIRECTORY;
  const directory = args.out === undefined ? usual : resolve(args.out);
  for (const file of await writeReports(directory, results, verdicts)) {
    process.stderr.write(`written: ${file}\n`);
  }
  return 0;
}

async function gate(args: BenchArguments, results: Results): Promise<number> {
  const verdicts = judge(results, targets);
  const baseline = await readBaseline();
  const outcome = check(results, verdicts, baseline);
  if (args.json) {
    process.stdout.write(`${JSON.stringify(outcome, undefined, 1)}\n`);
  } else {
    process.stdout.write(`${verdictText(verdicts)}\n${checkReport(outcome, baseline)}`);
  }
  if (args.saveBaseline) {
    await mkdir(RESULTS_DIRECTORY, { recursive: true });
    await writeFile(BASELINE_FILE, resultsText(results, verdicts));
  }
  return outcome.failedGoals.length + outcome.failedChanges.length === 0 ? 0 : EXIT_FAILED;
}

async function readBaseline(): Promise<Results | undefined> {
  const text = await readFile(BASELINE_FILE, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Results);
}

function listing(): string {
  const lines = (entries: readonly { readonly name: string; readonly title: string }[]): string =>
    entries.map(({ name, title }) => `  ${name.padEnd(20)} ${title}\n`).join('');
  return `Scenarios\n${lines(scenarios)}\nPeers\n${lines(peers)}`;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`bench: ${error.message}\n\n${USAGE}`);
    process.exitCode = EXIT_USAGE;
  } else {
    process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = EXIT_FAILED;
  }
}
