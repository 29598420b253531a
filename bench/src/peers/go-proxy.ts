import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificates } from '../certificates.ts';
import { goProgram } from '../go-load.ts';
import type { Peer } from '../peer.ts';
import { startServer } from '../server-process.ts';
import { workerPlainPeer } from './direct-worker.ts';

/** Our own worker behind a proxy of Go's standard library: what the gateway's place costs when somebody else takes it. */
export const goProxyPeer: Peer = {
  name: 'go-proxy',
  title: 'Jetbridge worker behind Go ReverseProxy, TLS',
  start: async (bench, signal) => {
    const program = goProgram(bench, 'proxy');
    const certificates = await makeCertificates(await mkdtemp(join(bench.temporary, 'go-proxy-')));
    const worker = await workerPlainPeer.start(bench, signal);
    const address = worker.target.uri.replace(/^grpc(\+tcp)?:/, 'http:');
    const { certificateFile, keyFile, caFile } = certificates;
    const proxy = startServer({ program, args: ['-upstream', address, '-certificate', certificateFile, '-key', keyFile] });
    const { port } = JSON.parse(await proxy.firstLine()) as { readonly port: number };
    return {
      target: { ...worker.target, uri: `grpc+tls://127.0.0.1:${port}`, caFile },
      processes: [{ stage: 'proxy', pid: proxy.pid }, ...worker.processes],
      stop: async () => {
        await proxy.stop();
        await worker.stop();
      },
    };
  },
};
