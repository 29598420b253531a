import type { Writable } from 'node:stream';
import type { FlightDataHead } from '@jetbridge/proto/flight';
import { ipcStream, readBatches } from './arrow-ipc.ts';
import { cellsOf, requirePrintable } from './cells.ts';
import type { FlightClient, Outcome } from './flight-client.ts';
import { type Format, rowPrinterOf } from './formats.ts';
import type { Output } from './output.ts';
import { type Progress, startProgress } from './progress.ts';

/** How results are shown; the prompt changes it while it runs. */
export interface Display {
  format: Format;
  /** 0 shows all rows; undefined leaves it to the format. */
  maxRows: number | undefined;
}

export interface Screen {
  readonly output: Output;
  /** Progress lines, and footers when the output is no terminal of its own. */
  readonly messages: Writable & { readonly isTTY?: boolean };
  readonly display: Display;
}

/** What was shown of a result. */
interface Shown {
  readonly amount: number;
  readonly unit: string;
  readonly isCut: boolean;
}

/** Runs one statement and shows its result; rejects with the server's StatusError. */
export function runStatement(client: FlightClient, sql: string, screen: Screen, signal: AbortSignal): Promise<void> {
  return showOutcome(() => client.execute(sql, signal), screen, signal);
}

/** Shows whatever `open` answers, with progress while it takes long and a footer on a terminal. */
export async function showOutcome(open: () => Promise<Outcome>, screen: Screen, signal: AbortSignal): Promise<void> {
  const startedAtMs = performance.now();
  const progress = startProgress(screen.messages, screen.display.format === 'arrow' ? 'bytes' : 'rows');
  try {
    const outcome = await open();
    const shown = outcome.kind === 'rows' ? await showRows(outcome.messages, screen, progress, signal) : undefined;
    progress.stop();
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(3);
    const text = shown === undefined ? changedText(outcome) : shownText(shown);
    if (screen.output.isTerminal) {
      await screen.output.write(`(${text}, ${seconds} s)\n\n`);
    } else if (screen.messages.isTTY === true) {
      screen.messages.write(`(${text}, ${seconds} s)\n`);
    }
  } finally {
    progress.stop();
  }
}

async function showRows(messages: AsyncIterable<FlightDataHead>, screen: Screen, progress: Progress, signal: AbortSignal): Promise<Shown> {
  const write = async (chunk: string | Uint8Array): Promise<void> => {
    if (chunk.length > 0 && screen.output.isTerminal) {
      progress.stop();
    }
    await screen.output.write(chunk);
  };
  const { format } = screen.display;
  return format === 'arrow'
    ? passThrough(messages, write, screen.output, progress)
    : printRows(messages, format, write, screen, progress, signal);
}

async function passThrough(
  messages: AsyncIterable<FlightDataHead>,
  write: (chunk: Uint8Array) => Promise<void>,
  output: Output,
  progress: Progress,
): Promise<Shown> {
  let written = 0;
  for await (const chunk of ipcStream(messages)) {
    await write(chunk);
    written += chunk.length;
    progress.advance(written);
    if (output.closed.aborted) {
      break;
    }
  }
  return { amount: written, unit: 'byte', isCut: false };
}

async function printRows(
  messages: AsyncIterable<FlightDataHead>,
  format: Exclude<Format, 'arrow'>,
  write: (chunk: string) => Promise<void>,
  screen: Screen,
  progress: Progress,
  signal: AbortSignal,
): Promise<Shown> {
  const printer = rowPrinterOf({ format, isTerminal: screen.output.isTerminal, maxRows: screen.display.maxRows });
  const result = await readBatches(messages);
  let received = 0;
  let shown = 0;
  try {
    requirePrintable(result.schema);
    await write(printer.head(result.schema));
    for await (const batch of result.batches) {
      received += batch.numRows;
      await write(printer.rows(cellsOf(batch), batch.numRows));
      shown = printer.shown;
      progress.advance(received);
      if (screen.output.closed.aborted || shown < received || signal.aborted) {
        break;
      }
    }
    signal.throwIfAborted();
    await write(printer.tail());
    return { amount: shown, unit: 'row', isCut: shown < received };
  } finally {
    await result.close();
  }
}

function shownText({ amount, unit, isCut }: Shown): string {
  const counted = `${amount.toLocaleString('en')} ${unit}${amount === 1 ? '' : 's'}`;
  return isCut ? `first ${counted} of more; --max-rows 0 or .rows 0 shows all` : counted;
}

function changedText(outcome: Outcome): string {
  if (outcome.kind === 'rows' || outcome.rows === undefined || outcome.rows === 0) {
    return 'done';
  }
  return `${outcome.rows.toLocaleString('en')} row${outcome.rows === 1 ? '' : 's'} changed`;
}
