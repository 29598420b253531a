import { access } from 'node:fs/promises';
import { type Layout, readPassword } from './layout.ts';
import type { MeshReport } from './mesh-report.ts';
import { snippets } from './snippets.ts';

export interface ReadyContext {
  readonly layout: Layout;
  readonly report: MeshReport;
  readonly catalog: string;
  readonly isSample: boolean;
  /** `jetbridge sql` finds the mesh by itself. */
  readonly isDefaultDataDir: boolean;
}

/** What a person needs once everything runs. The password appears in it the first time only. */
export async function readyText({ layout, report, catalog, isSample, isDefaultDataDir }: ReadyContext): Promise<string> {
  const shown = await access(layout.passwordShown).then(
    () => true,
    () => false,
  );
  const password = await readPassword(layout);
  const passwordLine = describePassword(password, shown, layout);
  const statement = isSample ? 'SELECT l_shipmode, count(*) AS items FROM lineitem GROUP BY l_shipmode ORDER BY items DESC' : 'SHOW TABLES';
  return `
Jetbridge is ready.

  Flight SQL   ${report.flightUri}
  API          ${report.apiUrl}   (described at /docs)
  User         ${report.username}
  Password     ${passwordLine}
  CA file      ${report.caFile}
  Catalog      ${catalog}
${snippets({ report, passwordFile: layout.passwordFile, password: shown ? undefined : password, sqlFlags: isDefaultDataDir ? '' : ` --data-dir ${shellWord(layout.dataDir)}`, statement })}
Ctrl-C stops everything.
`;
}

function describePassword(password: string | undefined, shown: boolean, { passwordFile }: Layout): string {
  if (password === undefined) {
    return 'the one you chose';
  }
  return shown ? `in ${passwordFile}` : `${password}   (shown this once; also in ${passwordFile})`;
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
