import { NAME_CHARACTERS_MAX } from '../limits.ts';

/** A file or folder name as a SQL name that needs no quotes: lower-case letters, digits and `_`, no reserved word. Always the same for the same name. */
export function sqlName(fileName: string, reserved: ReadonlySet<string>): string {
  const plain = fileName
    .normalize('NFC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}_]+/gu, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, NAME_CHARACTERS_MAX);
  const named = plain === '' ? 'unnamed' : plain;
  const started = /^\p{N}/u.test(named) ? `_${named}` : named;
  return reserved.has(started) ? `${started}_` : started;
}

/** The first name that is free: as it is, with a suffix, or with the suffix and a number. Takes it. */
export function claimName(taken: Set<string>, name: string, suffix: string): string {
  let free = name;
  for (let attempt = 1; taken.has(free); attempt += 1) {
    free = attempt === 1 ? `${name}_${suffix}` : `${name}_${suffix}_${attempt}`;
  }
  taken.add(free);
  return free;
}
