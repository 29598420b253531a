import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CertificateFiles, makeCertificates } from '../certificates.ts';
import { freePort } from '../free-port.ts';
import { goProgram } from '../go-load.ts';
import { type Bench, type Peer, PeerMissing } from '../peer.ts';
import { type RunningServer, type ServerCommand, startServer } from '../server-process.ts';

type Upstream = 'tls' | 'plain';

/** The upstream without anything in between: shows what client and upstream can do. */
export const relayDirect: Peer = {
  name: 'relay-direct',
  title: 'no relay: the Go upstream itself, TLS',
  start: async (bench) => {
    const { certificates } = await prepare(bench);
    const upstream = await startUpstream(bench, 'tls', certificates);
    return running(certificates, upstream.port, [{ stage: 'upstream', server: upstream.server }]);
  },
};

export const relayGo: Peer = goPeer('relay-go', 'tls');
export const relayNginx: Peer = nginxPeer('relay-nginx', 'tls');
export const relayNginxPlain: Peer = nginxPeer('relay-nginx-plain', 'plain');

function goPeer(name: string, to: Upstream): Peer {
  return {
    name,
    title: `Go ReverseProxy: TLS client, ${to} upstream`,
    start: async (bench) => {
      const { certificates } = await prepare(bench);
      const upstream = await startUpstream(bench, to, certificates);
      const { port, server } = await startOnPort({
        program: goProgram(bench, 'proxy'),
        args: [
          ...certificateFlags(certificates),
          '-upstream',
          `${to === 'tls' ? 'https' : 'http'}://127.0.0.1:${upstream.port}`,
          '-ca',
          certificates.caFile,
        ],
      });
      return running(certificates, port, [
        { stage: 'relay', server },
        { stage: 'upstream', server: upstream.server },
      ]);
    },
  };
}

function nginxPeer(name: string, to: Upstream): Peer {
  return {
    name,
    title: `nginx grpc_pass: TLS client, ${to} upstream`,
    start: async (bench, signal) => {
      const { nginx } = bench.tools;
      if (nginx === undefined) {
        throw new PeerMissing('nginx is not installed');
      }
      const { directory, certificates } = await prepare(bench);
      const upstream = await startUpstream(bench, to, certificates);
      const port = await freePort();
      const file = join(directory, 'nginx.conf');
      await writeFile(file, nginxConfiguration(directory, port, upstream.port, to, certificates));
      const server = startServer({ program: nginx, args: ['-c', file, '-p', directory, '-e', join(directory, 'error.log')] });
      await server.listens(port, signal);
      return running(certificates, port, [
        { stage: 'relay', server },
        { stage: 'upstream', server: upstream.server },
      ]);
    },
  };
}

// One worker process, as one gateway process stands beside it; connections to the upstream are kept.
function nginxConfiguration(directory: string, port: number, upstreamPort: number, to: Upstream, files: CertificateFiles): string {
  return `daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  client_max_body_size 0;
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  keepalive_requests 1000000000;
  upstream server { server 127.0.0.1:${upstreamPort}; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} ssl http2;
    http2_max_concurrent_streams 256;
    ssl_protocols TLSv1.3;
    ssl_certificate ${files.certificateFile};
    ssl_certificate_key ${files.keyFile};
    location / { grpc_pass ${to === 'tls' ? 'grpcs' : 'grpc'}://server; grpc_buffer_size 64k; }
  }
}
`;
}

async function prepare(bench: Bench): Promise<{ readonly directory: string; readonly certificates: CertificateFiles }> {
  const directory = await mkdtemp(join(bench.temporary, 'relay-'));
  return { directory, certificates: await makeCertificates(join(directory, 'certificates')) };
}

async function startUpstream(bench: Bench, kind: Upstream, certificates: CertificateFiles) {
  return startOnPort({
    program: goProgram(bench, 'upstream'),
    args: ['-listen', '127.0.0.1:0', ...(kind === 'tls' ? certificateFlags(certificates) : [])],
  });
}

function certificateFlags({ certificateFile, keyFile }: CertificateFiles): readonly string[] {
  return ['-certificate', certificateFile, '-key', keyFile];
}

interface OnPort {
  readonly port: number;
  readonly server: RunningServer;
}

/** A program of ours that says on its first line which port it took. */
async function startOnPort(command: ServerCommand): Promise<OnPort> {
  const server = startServer(command);
  const { port } = JSON.parse(await server.firstLine()) as { readonly port: number };
  return { port, server };
}

function running(
  { caFile }: CertificateFiles,
  port: number,
  stages: readonly { readonly stage: string; readonly server: RunningServer }[],
) {
  return {
    target: { protocol: 'flight', uri: `grpc+tls://127.0.0.1:${port}`, caFile, tablePrefix: '' },
    processes: stages.map(({ stage, server: { pid } }) => ({ stage, pid })),
    stop: async () => {
      for (const { server } of stages) {
        await server.stop();
      }
    },
  } as const;
}
