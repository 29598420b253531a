import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = fileURLToPath(new URL('../..', import.meta.url));

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

/** The `jetbridge` command, run from source with this very runtime. */
export function jetbridgeCommand(...args: readonly string[]): Command {
  const main = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));
  return { program: process.execPath, args: ['--conditions=jetbridge', '--disable-warning=ExperimentalWarning', main, ...args] };
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; killed when the limit is over. */
export async function runToEnd(
  command: Command,
  options: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly input?: string;
    readonly limitMs?: number;
    readonly cwd?: string;
  } = {},
): Promise<Ended> {
  const child = spawn(command.program, command.args, {
    cwd: options.cwd ?? repositoryRoot,
    env: { ...process.env, ...options.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: options.limitMs ?? 60_000,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, stdout, stderr };
}
