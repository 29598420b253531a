import { serveWorker } from './app.ts';
import { ConfigError, readConfig, sizeThreadPool, type WorkerConfig } from './config.ts';
import { runUntilSignalled } from './run.ts';

const EX_USAGE = 64;

/** Runs a worker until it is told to stop. Resolves when everything has drained; sets the exit code on failure. */
export async function main(): Promise<void> {
  sizeThreadPool();
  const config = configOrExplain();
  if (config === undefined) {
    process.exitCode = EX_USAGE;
    return;
  }
  try {
    await runUntilSignalled((signal) => serveWorker(config, signal), process);
  } catch (thrown) {
    process.stderr.write(`jetbridge worker: ${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    process.exitCode = 1;
  }
}

function configOrExplain(): WorkerConfig | undefined {
  try {
    return readConfig();
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) {
      throw thrown;
    }
    process.stderr.write(`jetbridge worker: the configuration is not complete\n${thrown.problems.map((line) => `  ${line}\n`).join('')}`);
    return undefined;
  }
}

if (import.meta.main) {
  await main();
}
