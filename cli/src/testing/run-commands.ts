// Run as a process of its own: reads a JSON array of command lines from standard input, runs each, and prints what each wrote and answered.
import { text } from 'node:stream/consumers';
import { main } from '../main.ts';

export interface CommandRun {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const commands = JSON.parse(await text(process.stdin)) as readonly (readonly string[])[];
const write = process.stdout.write.bind(process.stdout);
const runs: CommandRun[] = [];
for (const args of commands) {
  const run = { out: '', err: '' };
  process.stdout.write = (chunk: string | Uint8Array): boolean => {
    run.out += chunk.toString();
    return true;
  };
  process.stderr.write = (chunk: string | Uint8Array): boolean => {
    run.err += chunk.toString();
    return true;
  };
  runs.push({ code: await main(args), ...run });
}
write(JSON.stringify(runs));
