import { once } from 'node:events';
import { readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { gatewayNames, layoutOf } from './layout.ts';
import { boundLog, rotateLog, tailLog } from './log-file.ts';
import { withPid } from './mesh.ts';
import { requireFreePorts, requireSharedPorts } from './ports.ts';
import { snippets } from './snippets.ts';
import { catalogName, openSource } from './source-directory.ts';

t.test('--data names what is wrong with a directory', async (t) => {
  const directory = t.testdir({
    empty: {},
    'file.csv': 'a\n1\n',
    good: { sub: { 'x.parquet': '' } },
    other: { 'readme.txt': '' },
    hidden: { '.git': { 'x.json': '' } },
  });
  await t.rejects(openSource(join(directory, 'absent')), /--data .*absent: there is no such directory/);
  await t.rejects(openSource(join(directory, 'file.csv')), /is a file; give the directory it is in/);
  for (const name of ['empty', 'other', 'hidden']) {
    await t.rejects(openSource(join(directory, name)), /holds no readable Parquet, CSV, JSON or DuckDB file/);
  }
  t.strictSame(await openSource(join(directory, 'good')), { directory: join(directory, 'good'), catalog: 'good' });
});

t.test('a link in a loop ends', async (t) => {
  const directory = t.testdir({ loop: {} });
  await symlink(join(directory, 'loop'), join(directory, 'loop', 'again'));
  await t.rejects(openSource(join(directory, 'loop')), /holds no readable/);
});

t.test('the catalog is named after the folder, as SQL without quotes', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['/srv/Sales Data', 'sales_data'],
    ['/srv/2024', 'files'],
    ['/srv/Größe', 'gro_e'],
    ['/srv/main', 'files'],
    ['/srv/--', 'files'],
    ['/', 'files'],
    [`/srv/${'a'.repeat(100)}`, 'a'.repeat(63)],
  ];
  for (const [path, name] of cases) {
    t.equal(catalogName(path), name, path);
  }
});

t.test('a taken port names the flag that changes it', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await t.rejects(requireFreePorts([{ port, flag: 'http-port', purpose: 'API' }], '127.0.0.1'), {
    message: `port ${port} (API) is in use by another program; choose another with --http-port, or --http-port 0 for any free port`,
  });
  await t.rejects(
    requireFreePorts(
      [
        { port: 4000, flag: 'flight-port', purpose: 'Flight SQL' },
        { port: 4000, flag: 'http-port', purpose: 'API' },
      ],
      '127.0.0.1',
    ),
    /port 4000 is given for two purposes; change --http-port/,
  );
  await requireFreePorts(
    [0, 0].map((zero) => ({ port: zero, flag: 'x', purpose: 'y' })),
    '127.0.0.1',
  );
});

t.test('logs rotate, stay bounded and are readable at their end', async (t) => {
  const file = join(t.testdir(), 'x.log');
  await rotateLog(file);
  await writeFile(file, 'old\n');
  await rotateLog(file);
  t.equal(await readFile(`${file}.1`, 'utf8'), 'old\n');
  t.equal((await stat(file)).size, 0);
  await writeFile(file, Array.from({ length: 1000 }, (_, i) => `line ${i}\n`).join(''));
  await boundLog(file, 5_000, 100);
  const kept = await readFile(file, 'utf8');
  t.ok(kept.length <= 100);
  t.match(kept, /^line \d+\n.*line 999\n$/s);
  await writeFile(file, `plain\n{"level":50,"time":1,"msg":"cannot listen","err":{"message":"EADDRINUSE"},"port":5}\n{"broken\n\n`);
  t.strictSame(await tailLog(file, 10), ['plain', 'error cannot listen (EADDRINUSE) port=5', '{"broken']);
  t.strictSame(await tailLog(`${file}.none`, 10), []);
});

t.test('several gateways have names of their own, under which a report knows them', async (t) => {
  t.strictSame(gatewayNames(1), ['gateway']);
  t.strictSame(gatewayNames(3), ['gateway', 'gateway-2', 'gateway-3']);
  const report = {
    flightUri: '',
    caFile: '',
    apiUrl: '',
    tunnelAddress: '',
    username: 'admin',
    pids: { controlApi: 1, gateway: 2, 'gateway-2': 3, worker: 4 },
  };
  t.strictSame(withPid(report, 'gateway', { pid: 9 }).pids, { controlApi: 1, gateway: 9, 'gateway-2': 3, worker: 4 });
  t.strictSame(withPid(report, 'gateway-2', { pid: 9 }).pids, { controlApi: 1, gateway: 2, 'gateway-2': 9, worker: 4 });
  t.strictSame(withPid(report, 'worker', { pid: 9 }).pids, { controlApi: 1, gateway: 2, 'gateway-2': 3, worker: 9 });
  t.equal(withPid(report, 'gateway-3', { pid: 9 }), report);
});

t.test('a platform whose processes cannot share a port is told so', async (t) => {
  await t.rejects(
    requireSharedPorts('127.0.0.1', async (port, host, options) => {
      t.strictSame([port, host, options], [0, '127.0.0.1', { reusePort: true }]);
      return 'ENOTSUP';
    }),
    {
      message: `--gateways needs ports that processes can share (SO_REUSEPORT), which ${process.platform} does not offer here (ENOTSUP); start one gateway`,
    },
  );
  await t.resolves(requireSharedPorts('127.0.0.1', async () => undefined));
});

t.test('snippets hold what a client needs, and the password only the first time', async (t) => {
  const layout = layoutOf('/tmp/with space/d');
  const report = {
    flightUri: 'grpc+tls://127.0.0.1:31337',
    caFile: layout.caFile,
    apiUrl: 'https://127.0.0.1:8443',
    tunnelAddress: '127.0.0.1:31338',
    username: 'admin',
    password: 'p&w/1',
    pids: { controlApi: 1, gateway: 2, worker: 3 },
  };
  const context = { report, passwordFile: layout.passwordFile, sqlFlags: '', statement: 'SELECT 1' };
  const first = snippets({ ...context, password: report.password });
  t.match(
    first,
    'jdbc:arrow-flight-sql://127.0.0.1:31337/?useEncryption=true&tlsRootCerts=/tmp/with%20space/d/ca.pem&user=admin&password=p%26w%2F1',
  );
  t.match(first, 'open("/tmp/with space/d/ca.pem").read()');
  t.match(first, 'autocommit=True');
  t.match(first, 'npx jetbridge sql\n');
  t.notMatch(snippets({ ...context, password: undefined }), /p&w|p%26w/);
});
