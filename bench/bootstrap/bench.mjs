// `npm run bench`, `bench:check` and `profile`: install what is missing, make the data, then run the bench on the pinned Node.
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from '../../cli/bootstrap/install.mjs';
import { pickRuntime, repositoryRoot, runInPlace } from '../../cli/bootstrap/runtime.mjs';
import { ensureData, ensureTools } from './tools.mjs';

const COMPILER = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

try {
  // The compiler is one of the tools: what is measured is compiled, as it ships.
  await ensureInstalled({ tools: true });
  if ((await runInPlace(pickRuntime(), [COMPILER, '-b'], { cwd: repositoryRoot })) !== 0) {
    throw new Error('the sources do not compile; see above');
  }
  await ensureData(await ensureTools());
  const main = new URL(process.argv[2] === 'profile' ? '../dist/profile/main.js' : '../dist/main.js', import.meta.url);
  process.exitCode = await runInPlace(pickRuntime(), [fileURLToPath(main), ...process.argv.slice(2)], {
    cwd: process.env.INIT_CWD ?? repositoryRoot,
  });
} catch (error) {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 1;
}
