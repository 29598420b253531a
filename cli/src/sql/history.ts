import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HISTORY_LINES } from '../limits.ts';

/** The lines typed at earlier prompts, newest first, as readline wants them. A history that cannot be read or written is only a lost comfort. */
export async function loadHistory(file: string): Promise<string[]> {
  const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  const kept = lines.slice(-HISTORY_LINES);
  if (lines.length > 2 * HISTORY_LINES) {
    await writeFile(file, `${kept.join('\n')}\n`, { mode: 0o600 }).catch(() => undefined);
  }
  return kept.reverse();
}

/** Only its owner may read it: statements may hold what nobody else should see. */
export async function appendHistory(file: string, line: string): Promise<void> {
  if (line.trim() === '') {
    return;
  }
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await appendFile(file, `${line}\n`, { mode: 0o600 });
  } catch {
    // See above: not worth an error.
  }
}
