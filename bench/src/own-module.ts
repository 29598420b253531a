import { fileURLToPath } from 'node:url';

// `npm run bench` runs everything compiled, as it ships; while the bench is worked on, all of it may run from its sources.
const IS_SOURCE = import.meta.url.endsWith('.ts');

/** Arguments of Node for every process of ours. */
export const NODE_ARGUMENTS: readonly string[] = IS_SOURCE ? ['--conditions=jetbridge', '--disable-warning=ExperimentalWarning'] : [];

/** A module beside the one at `from`, in the form in which this one runs; `path` has no extension. */
export function ownModule(path: string, from: string): URL {
  return new URL(`${path}${IS_SOURCE ? '.ts' : '.js'}`, from);
}

/** The main module of a process of the product. */
export function mainModule(name: 'cli' | 'control-api' | 'gateway' | 'worker'): string {
  return fileURLToPath(import.meta.resolve(`@jetbridge/${name}/main`));
}
