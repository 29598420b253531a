import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Command } from './command.ts';
import { within } from './deadline.ts';
import { installed, skipWithout } from './installed.ts';
import { JetbridgeSql } from './jetbridge-sql.ts';
import type { Client, ClientName, Job, JobResult, RunningJob } from './job.ts';
import type { Cleanup } from './temporary.ts';

export const CLIENT_NAMES: readonly ClientName[] = ['adbc', 'flight', 'jdbc', 'go', 'jetbridge sql'];

const START_LIMIT_MS = 60_000;

/** Why the client cannot be used here, for `skip`. */
export function skipClient(name: Client['name']): string | false {
  switch (name) {
    case 'jdbc':
      return skipWithout(['jdbc', 'classpath']);
    case 'go':
      return skipWithout(['go', 'program']);
    case 'jetbridge sql':
      return false;
    default:
      return skipWithout(['python', 'python']);
  }
}

function commandOf(name: Client['name']): Command {
  if (name === 'jdbc') {
    const memory = ['--add-opens=java.base/java.nio=ALL-UNNAMED', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
    return {
      program: 'java',
      args: [...memory, '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', installed('jdbc', 'classpath'), 'jetbridge.Client'],
    };
  }
  if (name === 'go') {
    return { program: installed('go', 'program'), args: [] };
  }
  const program = fileURLToPath(new URL('../clients/python/client.py', import.meta.url));
  return { program: installed('python', 'python'), args: ['-B', program, name] };
}

/** Starts a client process that lives until the test ends. */
export async function startClient(t: Cleanup, name: Client['name']): Promise<Client> {
  if (name === 'jetbridge sql') {
    const client = new JetbridgeSql();
    t.teardown(() => client.kill());
    return client;
  }
  const command = commandOf(name);
  const child = spawn(command.program, command.args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, TZ: 'UTC' } });
  const client = new ProgramClient(name, child);
  t.teardown(() => client.kill());
  await within(`the ${name} client starts`, START_LIMIT_MS, client.ready);
  return client;
}

interface Line {
  readonly event: string;
  readonly rows?: number;
}

class ProgramClient implements Client {
  readonly name: Client['name'];
  readonly ready: Promise<unknown>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<unknown>;
  #complaint = '';
  #onLine: (line: Line) => void = () => undefined;
  #onEnd: (error: Error) => void = () => undefined;

  constructor(name: Client['name'], child: ChildProcessWithoutNullStreams) {
    this.name = name;
    this.#child = child;
    this.#exited = once(child, 'close');
    this.ready = new Promise<void>((resolve, reject) => {
      this.#onLine = () => resolve();
      this.#onEnd = reject;
    });
    child.on('error', (error) => this.#onEnd(error));
    child.stdin.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-4_000);
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.#onLine(JSON.parse(line) as Line));
    child.on('close', () => this.#onEnd(new Error(`the ${name} client ended: ${this.#complaint}`)));
  }

  start(job: Job): RunningJob {
    const events = new Map<string, PromiseWithResolvers<number>>();
    for (const event of ['progress', 'paused']) {
      const waiting = Promise.withResolvers<number>();
      waiting.promise.catch(() => undefined);
      events.set(event, waiting);
    }
    const done = Promise.withResolvers<JobResult>();
    done.promise.catch(() => undefined);
    this.#onLine = (line) => {
      if (line.event !== 'done') {
        events.get(line.event)?.resolve(line.rows ?? 0);
        return;
      }
      for (const [event, waiting] of events) {
        waiting.reject(new Error(`the ${this.name} job ended without ${event}: ${JSON.stringify(line).slice(0, 2_000)}`));
      }
      done.resolve(line as unknown as JobResult);
    };
    this.#onEnd = (error) => {
      done.reject(error);
      for (const waiting of events.values()) {
        waiting.reject(error);
      }
    };
    this.#child.stdin.write(`${JSON.stringify({ id: 'job', ...job })}\n`);
    return {
      done: done.promise,
      event: (name) => (events.get(name) as PromiseWithResolvers<number>).promise,
      resume: () => void this.#child.stdin.write('resume\n'),
    };
  }

  run(job: Job): Promise<JobResult> {
    return this.start(job).done;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
