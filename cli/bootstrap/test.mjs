// `npm test`: install what is missing, then run every check and every test on the pinned Node.
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './install.mjs';
import { pickRuntime, repositoryRoot, runInPlace } from './runtime.mjs';

try {
  await ensureInstalled({ tools: true });
  const runtime = pickRuntime();
  const env = { ...process.env, PATH: `${dirname(runtime)}${delimiter}${process.env.PATH ?? ''}` };
  const runner = fileURLToPath(new URL('test-runner.mjs', import.meta.url));
  process.exitCode = await runInPlace(runtime, [runner, ...process.argv.slice(2)], { cwd: repositoryRoot, env });
} catch (error) {
  process.stderr.write(`npm test: ${error.message}\n`);
  process.exitCode = 1;
}
