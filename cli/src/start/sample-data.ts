import { spawn } from 'node:child_process';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { childEnvironment } from '../config.ts';
import { CommandError } from '../usage.ts';
import { moduleArguments } from './module-arguments.ts';
import { SAMPLE_VERSION } from './sample-statements.ts';

/** The catalog in which the sample appears. */
export const SAMPLE_CATALOG = 'sample';

// Not a name the worker would serve.
const MARKER = '.version';

/**
 * Makes sure that the sample data set is in `directory`. It is written beside it and moved there when complete, so an
 * interrupted start leaves nothing half done. Answers whether anything had to be generated.
 */
export async function ensureSample(
  directory: string,
  scale: number,
  onTable: (table: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const marker = `${SAMPLE_VERSION} ${scale}\n`;
  if ((await readFile(join(directory, MARKER), 'utf8').catch(() => undefined)) === marker) {
    return false;
  }
  const draft = `${directory}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  await generate(draft, scale, onTable, signal);
  await writeFile(join(draft, MARKER), marker);
  await rm(directory, { recursive: true, force: true });
  await rename(draft, directory);
  return true;
}

/** Runs the engine in a process of its own, so that its memory is given back when the sample is written. */
export async function generate(directory: string, scale: number, onTable: (table: string) => void, signal: AbortSignal): Promise<void> {
  const child = spawn(process.execPath, [...moduleArguments('./sample-generator', import.meta.url), directory, String(scale)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: childEnvironment({}),
    signal,
    killSignal: 'SIGKILL',
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4_000);
  });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  createInterface({ input: child.stdout }).on('line', onTable);
  const code = await exit;
  if (code !== 0) {
    throw new CommandError(`the sample data could not be generated in ${directory}: ${complaint.trim() || `exit code ${code}`}`);
  }
}
