#!/usr/bin/env node
import { commandArguments, pickRuntime, runInPlace } from '../bootstrap/runtime.mjs';

try {
  process.exitCode = await runInPlace(pickRuntime(), [...commandArguments(), ...process.argv.slice(2)]);
} catch (error) {
  process.stderr.write(`jetbridge: ${error.message}\n`);
  process.exitCode = 1;
}
