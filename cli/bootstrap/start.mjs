// `npm start`: install what is missing, then run `jetbridge start` on the pinned Node.
import { ensureInstalled } from './install.mjs';
import { commandArguments, pickRuntime, runInPlace } from './runtime.mjs';

try {
  await ensureInstalled({ tools: false });
  // npm changes to the repository's root; paths on the command line mean the directory the user was in.
  const cwd = process.env.INIT_CWD ?? process.cwd();
  process.exitCode = await runInPlace(pickRuntime(), [...commandArguments(), 'start', ...process.argv.slice(2)], { cwd });
} catch (error) {
  process.stderr.write(`jetbridge: ${error.message}\n`);
  process.exitCode = 1;
}
