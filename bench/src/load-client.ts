import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { LoadClient } from './scenario.ts';

export interface LoadProgram {
  readonly program: string;
  readonly args: readonly string[];
}

interface Answer {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: string;
}

const COMPLAINT_CHARACTERS = 4_000;

/** Starts a client that speaks JSON lines and waits until it says it is ready. */
export async function startLoadClient({ program, args }: LoadProgram): Promise<LoadClient> {
  const client = new ProcessLoadClient(spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] }));
  await client.ready;
  return client;
}

class ProcessLoadClient implements LoadClient {
  readonly ready: Promise<void>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<unknown>;
  readonly #waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  #asked = 0;
  #complaint = '';
  #ended = false;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    this.#exited = once(child, 'close');
    this.#exited.catch(() => undefined);
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    child.stdin.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-COMPLAINT_CHARACTERS);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      ready.resolve();
      this.#answered(JSON.parse(line) as Answer);
    });
    const onEnd = (): void => {
      this.#ended = true;
      const error = this.#endedError();
      ready.reject(error);
      for (const waiting of this.#waiting.values()) {
        waiting.reject(error);
      }
    };
    child.once('error', onEnd);
    child.once('close', onEnd);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  ask(op: string, args: object): Promise<Record<string, unknown>> {
    if (this.#ended) {
      return Promise.reject(this.#endedError());
    }
    this.#asked += 1;
    const waiting = Promise.withResolvers<Record<string, unknown>>();
    this.#waiting.set(this.#asked, waiting);
    this.#child.stdin.write(`${JSON.stringify({ id: this.#asked, op, args })}\n`);
    return waiting.promise;
  }

  async close(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited.catch(() => undefined);
  }

  #answered({ id = 0, result, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (result === undefined) {
      waiting?.reject(new Error(error ?? 'the load client gave no answer'));
    } else {
      waiting?.resolve(result);
    }
  }

  #endedError(): Error {
    return new Error(`the load client ended: ${this.#complaint.trim()}`);
  }
}
