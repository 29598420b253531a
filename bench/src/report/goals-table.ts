import { formatValue } from '../format.ts';
import type { Verdict } from '../verdicts.ts';
import { escapeHtml } from './html.ts';

/** Every goal with its outcome: what was missed is said first-hand, what was not measured with the reason. */
export function goalsTable(verdicts: readonly Verdict[]): string {
  const head =
    '<tr><th></th><th>Goal</th><th class="number">Measured</th><th class="number">Target</th><th class="number">Stretch</th><th>Against</th></tr>';
  return `<div class="scroll"><table><thead>${head}</thead><tbody>${verdicts.map(goalRow).join('')}</tbody></table></div>`;
}

function goalRow(verdict: Verdict): string {
  const { title, better, target, stretch, unit } = verdict.target;
  const sign = better === 'less' ? '≤' : '≥';
  const cells = [
    `<td>${badge(verdict)}</td>`,
    `<td>${escapeHtml(title)}</td>`,
    `<td class="number">${measured(verdict)}</td>`,
    `<td class="number">${sign} ${escapeHtml(formatValue(target, unit))}</td>`,
    `<td class="number">${sign} ${escapeHtml(formatValue(stretch, unit))}</td>`,
    `<td class="faint">${escapeHtml(against(verdict))}</td>`,
  ];
  return `<tr>${cells.join('')}</tr>`;
}

const BADGES = { stretch: 'stretch hit', hit: 'hit', missed: 'missed', 'not measured': 'not measured' } as const;

function badge({ outcome }: Verdict): string {
  return `<span class="badge ${outcome === 'not measured' ? 'none' : outcome}">${BADGES[outcome]}</span>`;
}

function measured(verdict: Verdict): string {
  if (verdict.outcome === 'not measured') {
    return '–';
  }
  return `${escapeHtml(formatValue(verdict.value, verdict.target.unit))} <small>±${Math.round(verdict.noise * 100)} %</small>`;
}

function against(verdict: Verdict): string {
  if (verdict.outcome === 'not measured') {
    return verdict.reason;
  }
  return verdict.against ?? '';
}
