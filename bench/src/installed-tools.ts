import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Tools } from './peer.ts';

const RECORD_FILE = fileURLToPath(new URL('../.tools/installed.json', import.meta.url));

/** What bootstrap wrote down. */
export function readInstalledTools(): Tools {
  const record = JSON.parse(readFileSync(RECORD_FILE, 'utf8')) as Record<string, { readonly installed?: Partial<Tools> }>;
  return Object.assign({}, ...Object.values(record).map(({ installed }) => installed ?? {})) as Tools;
}
