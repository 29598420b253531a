// Run as a process of its own, with a ProbeRequest as JSON on standard input: what it takes to speak Flight SQL does not stay in the supervisor.
// Exit code 0: a statement was answered. 1: not, and standard error says why. REFUSED: the password is not the admin's any more.
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { StatusError } from '@jetbridge/proto/status-error';
import { PROBE_RETRY_MS, PROBE_TIMEOUT_MS } from '../limits.ts';
import { readBatches } from '../sql/arrow-ipc.ts';
import { FlightClient } from '../sql/flight-client.ts';
import { PROBE_ANSWERED, PROBE_FAILED, PROBE_REFUSED, type ProbeRequest } from './probe.ts';

async function probe({ uri, caFile, signIn }: ProbeRequest): Promise<number> {
  const client = new FlightClient({ uri, caPem: await readFile(caFile, 'utf8') }, signIn);
  const deadline = AbortSignal.timeout(PROBE_TIMEOUT_MS);
  let last: unknown;
  try {
    while (!deadline.aborted) {
      try {
        await selectOne(client, deadline);
        return PROBE_ANSWERED;
      } catch (error) {
        if (signIn.kind === 'password' && error instanceof StatusError && error.code === 'unauthenticated') {
          return PROBE_REFUSED;
        }
        last = deadline.aborted ? (last ?? error) : error;
        await delay(PROBE_RETRY_MS, undefined, { signal: deadline }).catch(() => undefined);
      }
    }
  } finally {
    await client.close();
  }
  process.stderr.write(last instanceof Error ? last.message : String(last));
  return PROBE_FAILED;
}

async function selectOne(client: FlightClient, signal: AbortSignal): Promise<void> {
  const outcome = await client.execute('SELECT 1', signal);
  if (outcome.kind !== 'rows') {
    throw new StatusError('internal', 'SELECT 1 answered without rows');
  }
  let rows = 0;
  for await (const batch of (await readBatches(outcome.messages)).batches) {
    rows += batch.numRows;
  }
  if (rows !== 1) {
    throw new StatusError('data_loss', `SELECT 1 answered ${rows} rows`);
  }
}

process.exitCode = await probe(JSON.parse(await text(process.stdin)) as ProbeRequest);
