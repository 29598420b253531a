import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { StatusError } from '@jetbridge/proto/status-error';
import { createApp } from './app.ts';
import { type Config, ConfigError, processEnvironment, readConfig } from './config.ts';
import { untilSignal } from './run.ts';

// sysexits.h: EX_USAGE
const EXIT_BAD_CONFIG = 64;
const EXIT_FAILED = 1;

/** The control-api process: reads its configuration, answers until a signal, sets the exit code. */
export async function main(): Promise<void> {
  const config = configOrExplain();
  if (config === undefined) {
    process.exitCode = EXIT_BAD_CONFIG;
    return;
  }
  try {
    await createApp(config)(untilSignal());
    // Signal handlers would keep nothing alive, but a library's timer might.
    process.exit(0);
  } catch (error) {
    explain(error instanceof StatusError ? error.message : (error instanceof Error && error.stack) || String(error));
    process.exit(EXIT_FAILED);
  }
}

function configOrExplain(): Config | undefined {
  try {
    return readConfig(processEnvironment());
  } catch (error) {
    if (error instanceof ConfigError) {
      error.problems.forEach(explain);
      return undefined;
    }
    throw error;
  }
}

function explain(problem: string): void {
  process.stderr.write(`control-api: ${problem}\n`);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main();
}
