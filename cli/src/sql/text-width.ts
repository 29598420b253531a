const ASCII = /^[\x20-\x7e]*$/;
// Zero: combining marks and format characters. Two: East Asian wide and full-width forms, and emoji (UAX #11, in broad ranges).
const ZERO = /\p{M}|\p{Cf}/u;
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;

/** Columns of a terminal the text takes. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) {
    return text.length;
  }
  let width = 0;
  for (const character of text) {
    width += widthOf(character);
  }
  return width;
}

/** The text, or its beginning and an ellipsis, in at most `width` columns. */
export function fitWidth(text: string, width: number): string {
  if (text.length <= width && ASCII.test(text)) {
    return text;
  }
  let used = 0;
  let kept = '';
  for (const character of text) {
    used += widthOf(character);
    if (used > width) {
      return `${shorten(kept, width - 1)}…`;
    }
    kept += character;
  }
  return text;
}

export function padCell(text: string, width: number, right: boolean): string {
  const padding = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return right ? padding + text : text + padding;
}

/** One line, and nothing a terminal would obey: data must not move the cursor or retitle the window. */
export function visibleText(text: string): string {
  return ASCII.test(text) ? text : text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, escaped);
}

function escaped(character: string): string {
  const known: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
  return known[character] ?? `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}

function shorten(text: string, width: number): string {
  let used = 0;
  let kept = '';
  for (const character of text) {
    used += widthOf(character);
    if (used > width) {
      break;
    }
    kept += character;
  }
  return kept;
}

function widthOf(character: string): number {
  if (ZERO.test(character)) {
    return 0;
  }
  return WIDE.test(character) ? 2 : 1;
}
