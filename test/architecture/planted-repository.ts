import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

const PACKAGES = ['proto', 'pki', 'gateway', 'worker', 'control-api', 'cli', 'test'];
const CONFIGURATION = ['package.json', 'biome.json', 'eslint.config.js', '.dependency-cruiser.cjs', 'tsconfig.base.json'];

/** A repository of planted files only, with our manifests, configuration and dependencies: what a checker says of it, it says of ours. */
export interface PlantedRepository extends AsyncDisposable {
  plant(file: string, source: string): Promise<void>;
  /** Runs a tool from node_modules in the planted repository; resolves to its standard output, whatever its exit code. */
  run(tool: string, args: readonly string[]): Promise<string>;
}

export async function plantRepository(): Promise<PlantedRepository> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'jetbridge-planted-')));
  await copyConfiguration(directory);
  await linkDependencies(directory);
  return {
    plant: async (file, source) => {
      await mkdir(dirname(join(directory, file)), { recursive: true });
      await writeFile(join(directory, file), source);
    },
    run: (tool, args) => run(directory, [join(REPOSITORY, 'node_modules', tool), ...args]),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

async function copyConfiguration(directory: string): Promise<void> {
  const manifests = PACKAGES.flatMap((name) => [`${name}/package.json`, `${name}/tsconfig.json`]);
  for (const file of [...CONFIGURATION, ...manifests]) {
    await cp(join(REPOSITORY, file), join(directory, file));
  }
}

async function linkDependencies(directory: string): Promise<void> {
  const target = join(directory, 'node_modules');
  await mkdir(join(target, '@jetbridge'), { recursive: true });
  for (const name of await readdir(join(REPOSITORY, 'node_modules'))) {
    if (!name.startsWith('.') && name !== '@jetbridge') {
      await symlink(join(REPOSITORY, 'node_modules', name), join(target, name));
    }
  }
  for (const name of PACKAGES) {
    await symlink(join(directory, name), join(target, '@jetbridge', name));
  }
}

// A report of every planted violation, with room to grow.
const OUTPUT_MAX_BYTES = 16 * 1024 * 1024;

function run(cwd: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd, maxBuffer: OUTPUT_MAX_BYTES }, (error, stdout, stderr) => {
      if (stdout === '') {
        reject(new Error(`no output from ${args.join(' ')}: ${stderr}`, { cause: error }));
      } else {
        resolve(stdout);
      }
    });
  });
}
