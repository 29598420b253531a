import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificates } from '../certificates.ts';
import { freePort } from '../free-port.ts';
import { type Bench, type Peer, PeerMissing, type RunningPeer } from '../peer.ts';
import { startServer } from '../server-process.ts';
import { startFlightServer } from './flight-server.ts';

/** What people put in front of a Flight server to have TLS: nginx with grpc_pass. */
export const nginxPeer: Peer = { name: 'nginx', title: '40-line server behind nginx grpc_pass, TLS', start };

async function start(bench: Bench, signal: AbortSignal): Promise<RunningPeer> {
  const { nginx } = bench.tools;
  if (nginx === undefined) {
    throw new PeerMissing('nginx is not installed');
  }
  const directory = join(bench.temporary, 'nginx');
  const certificates = await makeCertificates(directory);
  const { server, port: upstreamPort } = await startFlightServer(bench);
  const port = await freePort();
  const file = join(directory, 'nginx.conf');
  await mkdir(join(directory, 'temp'), { recursive: true });
  await writeFile(file, configuration({ directory, port, upstreamPort, ...certificates }));
  const proxy = startServer({ program: nginx, args: ['-p', directory, '-c', file, '-e', 'stderr'] });
  const stop = async (): Promise<void> => {
    await proxy.stop();
    await server.stop();
  };
  try {
    await proxy.listens(port, signal);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    target: { protocol: 'flight', uri: `grpc+tls://127.0.0.1:${port}`, caFile: certificates.caFile, tablePrefix: '' },
    processes: [
      { stage: 'nginx', pid: proxy.pid },
      { stage: 'server', pid: server.pid },
    ],
    stop,
  };
}

interface Configuration {
  readonly directory: string;
  readonly port: number;
  readonly upstreamPort: number;
  readonly certificateFile: string;
  readonly keyFile: string;
}

// Its defaults, except what a long result needs: no access log, no end of a busy connection, and kept connections to the server behind.
function configuration({ directory, port, upstreamPort, certificateFile, keyFile }: Configuration): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `  ${kind}_temp_path ${directory}/temp;`).join('\n');
  return `daemon off;
worker_processes auto;
pid ${directory}/nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
${temporary}
  upstream flight {
    server 127.0.0.1:${upstreamPort};
    keepalive 16;
  }
  server {
    listen 127.0.0.1:${port} ssl http2;
    ssl_certificate ${certificateFile};
    ssl_certificate_key ${keyFile};
    ssl_protocols TLSv1.3;
    keepalive_requests 1000000;
    client_max_body_size 0;
    location / {
      grpc_pass grpc://flight;
      grpc_read_timeout 300s;
      grpc_send_timeout 300s;
    }
  }
}
`;
}
