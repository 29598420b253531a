import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CertificateFiles, makeCertificates } from '../certificates.ts';
import { type Bench, type Peer, PeerMissing, type RunningPeer } from '../peer.ts';
import { type RunningServer, startServer } from '../server-process.ts';

const PROGRAM = fileURLToPath(new URL('../../clients/python/flight_server.py', import.meta.url));

export const flightServerPeer: Peer = {
  name: 'flight-server',
  title: '40-line pyarrow.flight server over DuckDB',
  start: async (bench) => {
    const { server, port } = await startFlightServer(bench);
    return running(server, { uri: `grpc://127.0.0.1:${port}` });
  },
};

export const flightServerTlsPeer: Peer = {
  name: 'flight-server-tls',
  title: '40-line pyarrow.flight server, TLS',
  start: async (bench) => {
    const certificates = await makeCertificates(join(bench.temporary, 'flight-server-tls'));
    const { server, port } = await startFlightServer(bench, certificates);
    return running(server, { uri: `grpc+tls://127.0.0.1:${port}`, caFile: certificates.caFile });
  },
};

/** The server that others are put in front of. */
export async function startFlightServer(
  bench: Bench,
  certificates?: CertificateFiles,
): Promise<{ readonly server: RunningServer; readonly port: number }> {
  if (bench.tools.python === undefined) {
    throw new PeerMissing('Python with pyarrow and duckdb could not be installed');
  }
  const tls = certificates === undefined ? [] : [certificates.certificateFile, certificates.keyFile];
  const server = startServer({ program: bench.tools.python, args: ['-B', PROGRAM, bench.duckdbFile, ...tls] });
  return { server, port: Number(await server.firstLine()) };
}

function running(server: RunningServer, address: { readonly uri: string; readonly caFile?: string }): RunningPeer {
  return {
    target: { protocol: 'flight', tablePrefix: '', ...address },
    processes: [{ stage: 'server', pid: server.pid }],
    stop: () => server.stop(),
  };
}
