import { formatNumber, formatSpread, formatValue } from '../format.ts';
import { escapeHtml } from './html.ts';

/** One horizontal bar, with a whisker from the smallest to the largest sample. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly spread: number;
  readonly own: boolean;
}

export interface BarChart {
  readonly title: string;
  readonly unit: string;
  readonly better: 'less' | 'more';
  readonly bars: readonly Bar[];
}

/** A bar made of parts that add up. */
export interface Stack {
  readonly label: string;
  readonly parts: readonly { readonly stage: string; readonly value: number }[];
}

export interface StackChart {
  readonly title: string;
  readonly unit: string;
  readonly stacks: readonly Stack[];
  /** Colour number of each stage, the same in all charts of a page. */
  readonly colours: ReadonlyMap<string, number>;
}

const WIDTH = 560;
const LABEL_WIDTH = 126;
const VALUE_WIDTH = 124;
const BAR_HEIGHT = 16;
const ROW_HEIGHT = 24;
const PLOT_WIDTH = WIDTH - LABEL_WIDTH - VALUE_WIDTH;

export function barChart({ title, unit, better, bars }: BarChart): string {
  const largest = Math.max(...bars.map(({ max }) => max), Number.MIN_VALUE);
  const scale = (value: number): number => (value / largest) * PLOT_WIDTH;
  const rows = bars.map((bar, index) => {
    const y = index * ROW_HEIGHT;
    const middle = y + BAR_HEIGHT / 2;
    const whisker = bar.max > bar.min ? whiskerPath(LABEL_WIDTH + scale(bar.min), LABEL_WIDTH + scale(bar.max), middle) : '';
    return `${label(bar.label, middle)}<rect class="${bar.own ? 'own' : 'other'}" x="${LABEL_WIDTH}" y="${y}" width="${round(scale(bar.value))}" height="${BAR_HEIGHT}" rx="2"/>${whisker}${valueText(`${formatValue(bar.value, unit)} ${formatSpread(bar.spread)}`, middle)}`;
  });
  return figure(titleWith(title, unit), better === 'less' ? 'shorter is better' : 'longer is better', bars.length, rows);
}

export function stackChart({ title, unit, stacks, colours }: StackChart): string {
  const total = ({ parts }: Stack): number => parts.reduce((sum, { value }) => sum + value, 0);
  const largest = Math.max(...stacks.map(total), Number.MIN_VALUE);
  const rows = stacks.map((stack, index) => {
    const y = index * ROW_HEIGHT;
    let x = LABEL_WIDTH;
    const parts = stack.parts.map(({ stage, value }) => {
      const width = (value / largest) * PLOT_WIDTH;
      const tip = `<title>${escapeHtml(`${stage}: ${formatValue(value, unit)}`)}</title>`;
      const part = `<rect class="stage${colours.get(stage) ?? 0}" x="${round(x)}" y="${y}" width="${round(width)}" height="${BAR_HEIGHT}">${tip}</rect>`;
      x += width;
      return part;
    });
    const middle = y + BAR_HEIGHT / 2;
    return `${label(stack.label, middle)}${parts.join('')}${valueText(formatValue(total(stack), unit), middle)}`;
  });
  return figure(titleWith(title, unit), 'shorter is better', stacks.length, rows);
}

export function legend(stages: readonly string[], colours: ReadonlyMap<string, number>): string {
  const items = stages.map((stage) => `<li><i class="stage${colours.get(stage) ?? 0}"></i>${escapeHtml(stage)}</li>`);
  return `<ul class="legend">${items.join('')}</ul>`;
}

function figure(title: string, hint: string, rowCount: number, rows: readonly string[]): string {
  const height = rowCount * ROW_HEIGHT;
  const heading = `<figcaption>${escapeHtml(title)} <small>${hint}</small></figcaption>`;
  return `<figure>${heading}<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(title)}">${rows.join('')}</svg></figure>`;
}

function label(text: string, middle: number): string {
  return `<text class="label" x="${LABEL_WIDTH - 8}" y="${middle}">${escapeHtml(text)}</text>`;
}

function valueText(text: string, middle: number): string {
  return `<text class="value" x="${WIDTH}" y="${middle}">${escapeHtml(text)}</text>`;
}

function whiskerPath(from: number, to: number, middle: number): string {
  return `<path class="whisker" d="M${round(from)} ${middle - 4}v8m0-4H${round(to)}m0-4v8"/>`;
}

// Bytes are shown with the unit that suits each.
function titleWith(title: string, unit: string): string {
  return unit === 'B' || unit === '' ? title : `${title}, ${unit}`;
}

function round(value: number): string {
  return formatNumber(Math.max(0, Math.round(value * 10) / 10)).replace('–', '0');
}
