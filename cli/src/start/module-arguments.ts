import { fileURLToPath } from 'node:url';

/** What Node needs to load TypeScript of these packages: the condition that leads to sources instead of what `tsc -b` made of them. */
const SOURCE_ARGUMENTS: readonly string[] = ['--conditions=jetbridge', '--disable-warning=ExperimentalWarning'];

export function isSource(module: string): boolean {
  return module.endsWith('.ts') || module.endsWith('.mts');
}

/** Arguments of Node that run a module beside the one at `from`, given without its extension. */
export function moduleArguments(module: string, from: string): readonly string[] {
  const path = fileURLToPath(new URL(`${module}${isSource(from) ? '.ts' : '.js'}`, from));
  return [...sourceArguments(path), path];
}

export function sourceArguments(module: string): readonly string[] {
  return isSource(module) ? SOURCE_ARGUMENTS : [];
}
