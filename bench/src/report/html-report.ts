import { formatValue } from '../format.ts';
import type { Machine, Results } from '../results.ts';
import type { Verdict } from '../verdicts.ts';
import { goalsTable } from './goals-table.ts';
import { escapeHtml } from './html.ts';
import { scenarioSection, stageColours } from './scenario-section.ts';
import { STYLE } from './style.ts';

/** One page that stands for itself: the goals first, then every scenario, then who was missing. */
export function htmlReport(results: Results, verdicts: readonly Verdict[]): string {
  const { startedAt, commit, dirty, repeats, scenarios } = results;
  const colours = stageColours(scenarios);
  const when = `${startedAt.slice(0, 16).replace('T', ' ')} UTC`;
  const links = scenarios.map(({ name }) => `<a href="#${escapeHtml(name)}">${escapeHtml(name)}</a>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Jetbridge bench, ${escapeHtml(when)}</title><style>${STYLE}</style></head>
<body><main><h1>Jetbridge beside its peers</h1>
<p>${escapeHtml(when)}, commit ${escapeHtml(commit)}${dirty ? ' with changes' : ''}. Medians of ${repeats} repeats in which all peers took turns; whiskers reach from the smallest to the largest.</p>
<p class="faint">${escapeHtml(machineText(results.machine))}</p>
<nav>${links.join('')}</nav>
<section id="goals"><h2>Goals</h2><p class="faint">Ratios within this run. ± is half the spread of the figures behind it: a ratio closer to its goal than that is undecided.</p>${goalsTable(verdicts)}</section>
${scenarios.map((scenario) => scenarioSection(scenario, colours)).join('\n')}
${missingSection(results)}
${versionsSection(results.machine)}
</main></body></html>
`;
}

function machineText({ cpu, cores, memoryBytes, kernel, node }: Machine): string {
  return `${cpu}, ${cores} cores, ${formatValue(memoryBytes / 1e9, 'GB')} of memory, ${kernel}, Node ${node}. Everything ran on this one machine, clients too.`;
}

function missingSection({ missing }: Results): string {
  if (missing.length === 0) {
    return '';
  }
  const items = missing.map(
    ({ name, title, reason }) =>
      `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(title)}</td><td class="faint">${escapeHtml(reason)}</td></tr>`,
  );
  return `<section id="missing"><h2>Missing peers</h2><p class="faint">These could not be had on this machine.</p><div class="scroll"><table><tbody>${items.join('')}</tbody></table></div></section>`;
}

function versionsSection({ clients }: Machine): string {
  const rows = Object.entries(clients).map(
    ([name, version]) => `<tr><td>${escapeHtml(name)}</td><td class="number">${escapeHtml(version)}</td></tr>`,
  );
  return `<section id="versions"><h2>Versions</h2><div class="scroll"><table><tbody>${rows.join('')}</tbody></table></div></section>`;
}
