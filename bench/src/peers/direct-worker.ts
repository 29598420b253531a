import { mkdtemp, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CertificateFiles, makeCertificates } from '../certificates.ts';
import { NODE_ARGUMENTS, ownModule } from '../own-module.ts';
import type { Bench, Peer, RunningPeer } from '../peer.ts';
import { startServer } from '../server-process.ts';

const PROGRAM = fileURLToPath(ownModule('./direct-worker/main', import.meta.url));

export const workerDirectPeer: Peer = {
  name: 'worker-direct',
  title: "Jetbridge's worker alone, TLS listener",
  start: async (bench) => start(bench, await makeCertificates(join(bench.temporary, 'worker-direct'))),
};

export const workerPlainPeer: Peer = {
  name: 'worker-plain',
  title: "Jetbridge's worker alone, plain listener",
  start: (bench) => start(bench, undefined),
};

async function start(bench: Bench, certificates: CertificateFiles | undefined): Promise<RunningPeer> {
  const directory = await mkdtemp(join(bench.temporary, 'worker-'));
  const tls = certificates === undefined ? [] : ['--certificate', certificates.certificateFile, '--key', certificates.keyFile];
  const server = startServer({
    program: process.execPath,
    args: [...NODE_ARGUMENTS, PROGRAM, '--directory', directory, '--source', dirname(bench.duckdbFile), ...tls],
    // As `jetbridge start` sets it for the worker.
    environment: { MALLOC_ARENA_MAX: '2' },
  });
  const port = await server.firstLine();
  const address = certificates === undefined ? { uri: `grpc://127.0.0.1:${port}` } : tlsAddress(port, certificates);
  return {
    target: { protocol: 'flight-sql', tablePrefix: 'tpch.main.', ...address },
    processes: [{ stage: 'worker', pid: server.pid }],
    stop: async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function tlsAddress(port: string, { caFile }: CertificateFiles): { readonly uri: string; readonly caFile: string } {
  return { uri: `grpc+tls://127.0.0.1:${port}`, caFile };
}
