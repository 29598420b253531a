import { inspect } from 'node:util';
import { StatusError } from '@jetbridge/proto/status-error';
import { runGateway } from './app.ts';
import { ConfigError, readConfig } from './config.ts';
import { createLog } from './telemetry.ts';
import { freeBuffersAtOnce } from './v8-flags.ts';

// sysexits.h: EX_USAGE.
const EXIT_BAD_CONFIG = 64;

/** The gateway process: runs until SIGTERM or SIGINT, then drains. A second signal exits at once. */
export async function main(): Promise<void> {
  freeBuffersAtOnce();
  const stop = new AbortController();
  const onSignal = (): void => {
    if (stop.signal.aborted) {
      process.exit(1);
    }
    stop.abort();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  try {
    const config = readConfig();
    await runGateway(config, createLog(config.logLevel), stop.signal);
  } catch (thrown) {
    if (!stop.signal.aborted) {
      process.exitCode = explain(thrown);
    }
  }
}

/** Says what is wrong in words for whoever started the process; only what nobody foresaw comes with a stack. */
function explain(thrown: unknown): number {
  const foreseen = thrown instanceof ConfigError || (thrown instanceof StatusError && thrown.code !== 'internal');
  process.stderr.write(`jetbridge gateway: ${foreseen ? thrown.message : inspect(thrown)}\n`);
  return thrown instanceof ConfigError ? EXIT_BAD_CONFIG : 1;
}

if (import.meta.main) {
  await main();
}
