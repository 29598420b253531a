import { copyFile, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../free-port.ts';
import { type Peer, PeerMissing } from '../peer.ts';
import { startServer } from '../server-process.ts';

const PROGRAM = fileURLToPath(new URL('../../clients/python/quack_server.py', import.meta.url));
const TOKEN = 'bench_only_on_loopback';

/** DuckDB's own server. It writes, too, so it has a copy of the file. */
export const quackPeer: Peer = {
  name: 'quack',
  title: "DuckDB's Quack server, no TLS",
  start: async (bench, signal) => {
    const { python } = bench.tools;
    if (python === undefined) {
      throw new PeerMissing('Python with duckdb could not be installed');
    }
    const file = join(await mkdtemp(join(bench.temporary, 'quack-')), 'tpch.duckdb');
    await copyFile(bench.duckdbFile, file);
    const port = await freePort();
    const server = startServer({ program: python, args: ['-B', PROGRAM, file, String(port), TOKEN] });
    await server.listens(port, signal);
    return {
      target: { protocol: 'quack', uri: `quack:127.0.0.1:${port}`, password: TOKEN, tablePrefix: '' },
      processes: [{ stage: 'server', pid: server.pid }],
      stop: () => server.stop(),
    };
  },
};
