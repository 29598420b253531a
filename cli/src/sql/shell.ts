import { createInterface } from 'node:readline';
import { HISTORY_LINES } from '../limits.ts';
import { describeFailure } from '../usage.ts';
import { runDotCommand } from './dot-commands.ts';
import type { FlightClient } from './flight-client.ts';
import { appendHistory, loadHistory } from './history.ts';
import { splitStatements } from './split.ts';
import { runStatement, type Screen } from './statement-runner.ts';

const PROMPT = 'jetbridge> ';
const MORE = '      ...> ';

export interface ShellOptions {
  readonly client: FlightClient;
  readonly screen: Screen;
  readonly historyFile: string;
  readonly input: NodeJS.ReadStream;
  /** Where the prompt is drawn. */
  readonly terminal: NodeJS.WriteStream;
}

/** Reads statements from a terminal until `.quit` or Ctrl-D. Errors are shown and forgotten; Ctrl-C cancels the statement, never the shell. */
export async function runShell({ client, screen, historyFile, input, terminal }: ShellOptions): Promise<void> {
  const readline = createInterface({
    input,
    output: terminal,
    terminal: true,
    history: await loadHistory(historyFile),
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
    prompt: PROMPT,
  });
  const shell = new Shell(client, screen, () => readline.close());
  const prompt = (): void => {
    readline.setPrompt(shell.isInside ? MORE : PROMPT);
    readline.prompt();
  };
  readline.on('SIGINT', () => {
    if (!shell.cancel()) {
      terminal.write(shell.isInside || readline.line !== '' ? '^C\n' : '^C (.quit or Ctrl-D leaves)\n');
      shell.clear();
      // A new line with nothing typed: readline keeps what was typed otherwise.
      readline.write(null, { ctrl: true, name: 'e' });
      readline.write(null, { ctrl: true, name: 'u' });
      prompt();
    }
  });
  const closed = new Promise<void>((resolve) => readline.once('close', resolve));
  readline.on('line', (line) => {
    void appendHistory(historyFile, line);
    void shell.take(line).then((done) => {
      if (!done) {
        prompt();
      }
    });
  });
  prompt();
  await closed;
  shell.cancel();
  terminal.write('\n');
}

/** What was typed and what runs. Lines are worked off one after the other, so typing ahead is safe. */
class Shell {
  readonly #client: FlightClient;
  readonly #screen: Screen;
  readonly #leave: () => void;
  #buffer = '';
  #running: AbortController | undefined;
  #queue: Promise<boolean> = Promise.resolve(false);
  /** Lines typed before a Ctrl-C are dropped with the statement they waited for. */
  #generation = 0;

  constructor(client: FlightClient, screen: Screen, leave: () => void) {
    this.#client = client;
    this.#screen = screen;
    this.#leave = leave;
  }

  get isInside(): boolean {
    return this.#buffer.trim() !== '';
  }

  clear(): void {
    this.#buffer = '';
  }

  cancel(): boolean {
    if (this.#running === undefined) {
      return false;
    }
    this.#generation += 1;
    this.#running.abort();
    return true;
  }

  /** Resolves with true when the shell is to be left. */
  take(line: string): Promise<boolean> {
    const generation = this.#generation;
    this.#queue = this.#queue.then((left) => (left || generation !== this.#generation ? left : this.#run(line)));
    return this.#queue;
  }

  async #run(line: string): Promise<boolean> {
    try {
      if (!this.isInside && (line.trim().startsWith('.') || line.trim() === '\\q')) {
        return await this.#dot(line.trim() === '\\q' ? '.quit' : line);
      }
      await this.#sql(line);
    } catch (error) {
      await this.#screen.output.write(`error: ${describeFailure(error).text}\n\n`);
    }
    return false;
  }

  async #dot(line: string): Promise<boolean> {
    const verdict = await this.#during((signal) => runDotCommand(line, this.#client, this.#screen, signal));
    if (verdict === 'leave') {
      this.#leave();
    }
    return verdict === 'leave';
  }

  async #sql(line: string): Promise<void> {
    const { statements, rest } = splitStatements(`${this.#buffer}${line}\n`);
    this.#buffer = rest === '' || rest.endsWith('\n') ? rest : `${rest}\n`;
    for (const statement of statements) {
      try {
        await this.#during((signal) => runStatement(this.#client, statement, this.#screen, signal));
      } catch (error) {
        // What follows a failed statement on the same line was written in the belief that it would succeed.
        this.#buffer = '';
        throw error;
      }
    }
  }

  async #during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#running = controller;
    try {
      return await work(controller.signal);
    } finally {
      this.#running = undefined;
    }
  }
}
