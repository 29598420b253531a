import type { Writable } from 'node:stream';
import { PROGRESS_AFTER_MS, PROGRESS_EVERY_MS } from '../limits.ts';

export interface Progress {
  /** Tells how far the statement is. */
  advance(amount: number): void;
  /** Takes the line away, for good: rows or an error follow in its place. */
  stop(): void;
}

/** One line on a terminal that shows a long statement to be alive; nothing when stderr is not a terminal. */
export function startProgress(stream: Writable & { readonly isTTY?: boolean }, unit: string): Progress {
  if (stream.isTTY !== true) {
    return { advance: () => undefined, stop: () => undefined };
  }
  const startedAtMs = performance.now();
  let amount = 0;
  let shown = false;
  const show = (): void => {
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    stream.write(`\r\x1b[Krunning ${seconds} s${amount === 0 ? '' : `, ${amount.toLocaleString('en')} ${unit}`} (Ctrl-C cancels)`);
    shown = true;
  };
  let ticker: NodeJS.Timeout | undefined;
  const starter = setTimeout(() => {
    show();
    ticker = setInterval(show, PROGRESS_EVERY_MS);
  }, PROGRESS_AFTER_MS);
  return {
    advance: (to) => {
      amount = to;
    },
    stop: () => {
      clearTimeout(starter);
      clearInterval(ticker);
      if (shown) {
        stream.write('\r\x1b[K');
        shown = false;
      }
    },
  };
}
