import { join } from 'node:path';
import t from 'tap';
import { startClient } from '../harness/client.ts';
import { eventually } from '../harness/deadline.ts';
import { skipWithout } from '../harness/installed.ts';
import { type Outcome, only } from '../harness/job.ts';
import { type Mesh, startMesh } from '../harness/mesh.ts';
import { startPostgres, startRedis } from '../harness/servers.ts';
import { converse } from '../harness/sockets.ts';
import { smallSource } from '../harness/source.ts';
import { temporaryDirectory } from '../harness/temporary.ts';

t.setTimeout(180_000);

/** A lease lives for 15 s; one that nobody releases must be gone soon after. */
const LEASE_GONE_MS = 25_000;

t.test(
  'the mesh on PostgreSQL and Redis',
  { skip: skipWithout(['servers', 'postgresDirectory'], ['servers', 'redisServer']) },
  async (t) => {
    const postgres = await startPostgres(t);
    const redisPort = await startRedis(t);
    const source = await smallSource(t);
    const dataDirectory = join(await temporaryDirectory(t), 'state');
    const environment = { DATABASE_URL: postgres.url, REDIS_URL: `redis://127.0.0.1:${redisPort}` };
    const start = (): Promise<Mesh> => startMesh(t, { source, dataDirectory, environment });
    const shell = await startClient(t, 'jetbridge sql');
    const count = async (mesh: Mesh): Promise<Outcome> =>
      only(await shell.run({ ...mesh.login(), steps: [{ action: 'query', sql: 'SELECT count(*) AS n FROM gate' }] }));
    const leases = async (): Promise<readonly string[]> => {
      const answer = await converse(redisPort, ['KEYS *', 'QUIT']);
      return answer.split('\r\n').filter((line) => /lease/.test(line));
    };

    const mesh = await start();
    t.same((await count(mesh)).rows, [['3']]);
    t.equal(await postgres.query("SELECT count(*) FROM principal WHERE name = 'admin'"), '1', 'the people are in PostgreSQL');
    t.not(await postgres.query('SELECT count(*) FROM audit'), '0', 'and so is the audit');
    t.not((await leases()).length, 0, 'the tunnel’s lease is in Redis');

    t.equal(await mesh.stop(), 0);
    await eventually('the lease is gone', LEASE_GONE_MS, leases, (found) => found.length === 0);

    const again = await start();
    t.equal(again.ready.password, mesh.ready.password, 'the second start finds the same people');
    t.same((await count(again)).rows, [['3']]);
  },
);
