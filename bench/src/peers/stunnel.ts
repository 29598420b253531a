import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CertificateFiles, makeCertificates } from '../certificates.ts';
import { freePort } from '../free-port.ts';
import { type Bench, type Peer, PeerMissing, type RunningPeer } from '../peer.ts';
import { type RunningServer, startServer } from '../server-process.ts';
import { startFlightServer } from './flight-server.ts';

/** What people put between two networks: a plain client, a stunnel beside it, mTLS, a stunnel beside the server. */
export const stunnelPeer: Peer = { name: 'stunnel', title: '40-line server behind a stunnel pair', start };

async function start(bench: Bench, signal: AbortSignal): Promise<RunningPeer> {
  const { stunnel } = bench.tools;
  if (stunnel === undefined) {
    throw new PeerMissing('stunnel is not installed');
  }
  const directory = join(bench.temporary, 'stunnel');
  const certificates = await makeCertificates(directory);
  const { server, port: serverPort } = await startFlightServer(bench);
  const started: RunningServer[] = [server];
  const stop = async (): Promise<void> => {
    for (const one of [...started].reverse()) {
      await one.stop();
    }
  };
  const run = async (name: string, service: string): Promise<void> => {
    const file = join(directory, `${name}.conf`);
    await writeFile(file, service);
    started.push(startServer({ program: stunnel, args: [file] }));
  };
  try {
    const [farPort, nearPort] = [await freePort(), await freePort()];
    await run('far', configuration('far', farPort, serverPort, certificates));
    await run('near', configuration('near', nearPort, farPort, certificates));
    await started[1]?.listens(farPort, signal);
    await started[2]?.listens(nearPort, signal);
    return {
      target: { protocol: 'flight', uri: `grpc://127.0.0.1:${nearPort}`, tablePrefix: '' },
      processes: [{ stage: 'server', pid: server.pid }, ...started.slice(1).map(({ pid }) => ({ stage: 'stunnel', pid }))],
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function configuration(end: 'near' | 'far', port: number, connectPort: number, files: CertificateFiles): string {
  return `foreground = yes
pid =
debug = warning
[flight]
client = ${end === 'near' ? 'yes' : 'no'}
accept = 127.0.0.1:${port}
connect = 127.0.0.1:${connectPort}
cert = ${files.certificateFile}
key = ${files.keyFile}
CAfile = ${files.caFile}
verifyChain = yes
sslVersionMin = TLSv1.3
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
`;
}
