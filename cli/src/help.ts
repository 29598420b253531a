import type { Flag } from './usage.ts';

/** What help is made of, the same for every subcommand. */
export interface HelpPage {
  readonly usage: string;
  readonly about: string;
  readonly flags: readonly Flag[];
  readonly examples: readonly string[];
  readonly notes?: string;
}

// Fits half a wide screen.
const PAGE_WIDTH = 100;

export const HELP_FLAG: Flag = { name: 'help', short: 'h', about: 'Show this page.' };

/** One page of at most 100 columns: usage, purpose, flags, examples. */
export function renderHelp(page: HelpPage): string {
  const left = page.flags.map(flagSyntax);
  const width = Math.max(0, ...left.map((text) => text.length));
  const flags = page.flags.map((flag, i) => renderFlag(left[i] ?? '', width, flag.about));
  return [
    `Usage: ${page.usage}`,
    '',
    ...wrapText(page.about),
    ...(flags.length === 0 ? [] : ['', 'Flags:', ...flags]),
    ...(page.examples.length === 0 ? [] : ['', 'Examples:', ...page.examples.map((line) => `  ${line}`)]),
    ...(page.notes === undefined ? [] : ['', ...wrapText(page.notes)]),
    '',
  ].join('\n');
}

function flagSyntax(flag: Flag): string {
  const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
  return `${short}--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`;
}

function renderFlag(syntax: string, width: number, about: string): string {
  const lines = wrap(about, Math.max(40, PAGE_WIDTH - width - 4));
  return lines.map((line, i) => `  ${(i === 0 ? syntax : '').padEnd(width)}  ${line}`).join('\n');
}

/** Paragraphs are kept apart by an empty line. */
function wrapText(text: string): readonly string[] {
  return text.split('\n\n').flatMap((paragraph, i) => [...(i === 0 ? [] : ['']), ...wrap(paragraph.replaceAll('\n', ' '), PAGE_WIDTH)]);
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) {
      lines.push(word);
    } else {
      lines[lines.length - 1] = `${last} ${word}`;
    }
  }
  return lines;
}
