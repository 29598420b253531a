import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { enroll } from '@jetbridge/pki/credential/enroll';
import { generateKeyPair } from '@jetbridge/pki/credential/keys';
import { goProgram } from '../go-load.ts';
import type { Bench } from '../peer.ts';
import { type RunningServer, startServer } from '../server-process.ts';
import type { Gateway, MeshParts } from './parts.ts';

export interface TunnelPlan {
  readonly workers: number;
  readonly tunnelsPerWorker: number;
}

/** Enrolls workers as any worker is, and lets one Go process hold their tunnels and answer calls from memory. Resolves when all said hello. */
export async function startTunnels(
  bench: Bench,
  parts: MeshParts,
  gateway: Gateway,
  { workers, tunnelsPerWorker }: TunnelPlan,
  planFile: string,
  signal: AbortSignal,
): Promise<RunningServer> {
  const credentials: object[] = [];
  for (let n = 0; n < workers; n += 1) {
    const token = await parts.workerToken(`bench-${n}`);
    const { credential } = await enroll({ controlUrl: parts.apiUrl, token, keys: generateKeyPair(), signal });
    const { privateKeyPem, certificateChainPem, bundlePem, identity } = credential;
    credentials.push({ workerId: identity.id, privateKeyPem, certificateChainPem, bundlePem });
  }
  await mkdir(dirname(planFile), { recursive: true });
  await writeFile(planFile, JSON.stringify({ tunnelAddress: gateway.tunnelAddress, tunnelsPerWorker, credentials }), { mode: 0o600 });
  const server = startServer({ program: goProgram(bench, 'upstream'), args: ['-tunnel', planFile] });
  try {
    await server.firstLine();
    return server;
  } catch (thrown) {
    await server.stop();
    throw thrown;
  }
}
