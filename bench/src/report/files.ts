import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Results } from '../results.ts';
import type { Verdict } from '../verdicts.ts';
import { htmlReport } from './html-report.ts';

/** `DATE-COMMIT` and `latest`, each as JSON and as a page. Answers the names written. */
export async function writeReports(directory: string, results: Results, verdicts: readonly Verdict[]): Promise<readonly string[]> {
  await mkdir(directory, { recursive: true });
  const json = resultsText(results, verdicts);
  const page = htmlReport(results, verdicts);
  const stem = `${results.startedAt.slice(0, 10)}-${results.commit}`;
  const files = [stem, 'latest'].flatMap((name) => [
    { file: join(directory, `${name}.json`), text: json },
    { file: join(directory, `${name}.html`), text: page },
  ]);
  await Promise.all(files.map(({ file, text }) => writeFile(file, text)));
  return files.map(({ file }) => file);
}

/** The file's text: what was measured, and what it means for the goals. */
export function resultsText(results: Results, verdicts: readonly Verdict[]): string {
  return `${JSON.stringify({ ...results, goals: verdicts }, undefined, 1)}\n`;
}
