import { copyFile, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCertificates } from '../certificates.ts';
import { freePort } from '../free-port.ts';
import { type Peer, PeerMissing } from '../peer.ts';
import { startServer } from '../server-process.ts';

const USERNAME = 'bench';
const PASSWORD = 'bench_only_on_loopback';

/** Flight SQL over DuckDB in C++. Nothing installs it: it takes part where its binary is on the PATH. */
export const gizmoSqlPeer: Peer = {
  name: 'gizmosql',
  title: 'GizmoSQL, TLS',
  start: async (bench, signal) => {
    const { gizmosql } = bench.tools;
    if (gizmosql === undefined) {
      throw new PeerMissing('gizmosql_server is not on the PATH');
    }
    const directory = await mkdtemp(join(bench.temporary, 'gizmosql-'));
    const certificates = await makeCertificates(join(directory, 'certificates'));
    const file = join(directory, 'tpch.duckdb');
    await copyFile(bench.duckdbFile, file);
    const port = await freePort();
    const tls = ['--tls', certificates.certificateFile, certificates.keyFile];
    const server = startServer({
      program: gizmosql,
      args: ['--database-filename', file, '--username', USERNAME, '--port', String(port), ...tls],
      environment: { GIZMOSQL_PASSWORD: PASSWORD },
    });
    await server.listens(port, signal);
    return {
      target: {
        protocol: 'flight-sql',
        uri: `grpc+tls://127.0.0.1:${port}`,
        username: USERNAME,
        password: PASSWORD,
        caFile: certificates.caFile,
        tablePrefix: '',
      },
      processes: [{ stage: 'server', pid: server.pid }],
      stop: () => server.stop(),
    };
  },
};
