import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Results } from '../results.ts';
import type { Verdict } from '../verdicts.ts';
import { htmlReport } from './html-report.ts';

/** `DATE-COMMIT` as JSON and as a page. Answers the names written. */
export async function writeReports(directory: string, results: Results, verdicts: readonly Verdict[]): Promise<readonly string[]> {
  await mkdir(directory, { recursive: true });
  const stem = join(directory, `${results.startedAt.slice(0, 10)}-${results.commit}`);
  const files = [
    { file: `${stem}.json`, text: resultsText(results, verdicts) },
    { file: `${stem}.html`, text: htmlReport(results, verdicts) },
  ];
  await Promise.all(files.map(({ file, text }) => writeFile(file, text)));
  return files.map(({ file }) => file);
}

/** The file's text: what was measured, and what it means for the goals. */
export function resultsText(results: Results, verdicts: readonly Verdict[]): string {
  return `${JSON.stringify({ ...results, goals: verdicts }, undefined, 1)}\n`;
}
