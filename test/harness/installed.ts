import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** What test/clients/install.mjs wrote down. */
interface Part {
  readonly installed?: Readonly<Record<string, string>>;
  readonly reason?: string;
}

const RECORD_FILE = fileURLToPath(new URL('../.clients/installed.json', import.meta.url));

function part(name: string): Part {
  try {
    const record = JSON.parse(readFileSync(RECORD_FILE, 'utf8')) as Record<string, Part>;
    return record[name] ?? { reason: `${name} is not installed; run \`node test/clients/install.mjs\`` };
  } catch {
    return { reason: 'no client is installed; run `node test/clients/install.mjs`' };
  }
}

/** A path of an installed part; fails with the reason where the part is missing. */
export function installed(name: string, key: string): string {
  const { installed: paths, reason } = part(name);
  const path = paths?.[key];
  if (path === undefined) {
    throw new Error(reason ?? `${name} has no ${key}`);
  }
  return path;
}

/** For `t.test(…, { skip: … })`: the reason why a part is missing, or false. Under CI=true a missing part is a failure. */
export function skipWithout(...wanted: ReadonlyArray<readonly [name: string, key: string]>): string | false {
  for (const [name, key] of wanted) {
    const { installed: paths, reason } = part(name);
    if (paths?.[key] === undefined) {
      const why = reason ?? `${key} was not found on this machine`;
      if (process.env.CI === 'true') {
        throw new Error(why);
      }
      return why;
    }
  }
  return false;
}
