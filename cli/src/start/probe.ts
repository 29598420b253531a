import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { childEnvironment } from '../config.ts';
import type { SignIn } from '../sql/flight-client.ts';
import { CommandError } from '../usage.ts';
import type { MeshReport } from './mesh-report.ts';
import { moduleArguments } from './module-arguments.ts';

export const PROBE_ANSWERED = 0;
export const PROBE_FAILED = 1;
export const PROBE_REFUSED = 2;

/** What the probing process is told. */
export interface ProbeRequest {
  readonly uri: string;
  readonly caFile: string;
  readonly signIn: SignIn;
}

/**
 * Runs a statement the way a client does: public endpoint, sign-in, gateway, tunnel, engine. Answers false when nobody's password
 * is known here; rejects when the mesh does not answer in time.
 */
export async function probeMesh(report: MeshReport, accessToken: string | undefined, signal: AbortSignal): Promise<boolean> {
  const signIn = signInOf(report, accessToken);
  if (signIn === undefined) {
    return false;
  }
  const request: ProbeRequest = { uri: report.flightUri, caFile: report.caFile, signIn };
  const child = spawn(process.execPath, moduleArguments('./probe-process', import.meta.url), {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: childEnvironment({}),
    signal,
    killSignal: 'SIGKILL',
  });
  child.stdin.end(JSON.stringify(request));
  const [complaint, [code]] = await Promise.all([text(child.stderr), once(child, 'exit') as Promise<[number | null]>]);
  signal.throwIfAborted();
  if (code !== PROBE_ANSWERED && code !== PROBE_REFUSED) {
    throw new CommandError(
      `all processes are ready, but SELECT 1 at ${report.flightUri} fails: ${complaint.trim() || `exit code ${code}`}`,
    );
  }
  return code === PROBE_ANSWERED;
}

function signInOf(report: MeshReport, accessToken: string | undefined): SignIn | undefined {
  if (accessToken !== undefined) {
    return { kind: 'token', token: accessToken };
  }
  return report.password === undefined ? undefined : { kind: 'password', username: report.username, password: report.password };
}
