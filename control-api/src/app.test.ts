import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { controlRequest } from '@jetbridge/pki/credential/control-request';
import { enroll } from '@jetbridge/pki/credential/enroll';
import { generateKeyPair } from '@jetbridge/pki/credential/keys';
import t, { type Test } from 'tap';
import { placeEmbedded } from './testing/databases.ts';

interface Started {
  readonly process: ChildProcess;
  readonly output: Promise<string>;
  readonly errors: Promise<string>;
  readonly exitCode: Promise<number | null>;
}

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

async function temporaryDirectory(t: Test): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'jetbridge-app-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

function start(t: Test, environment: Readonly<Record<string, string>>): Started {
  const child = spawn(process.execPath, ['--conditions=jetbridge', MAIN], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exitCode = once(child, 'exit').then(([code]) => code as number | null);
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exitCode;
  });
  return { process: child, output: text(child.stdout), errors: text(child.stderr), exitCode };
}

async function ready(directory: string, started: Started): Promise<string> {
  const file = join(directory, 'ready.json');
  const stop = new AbortController();
  const appeared = new Promise<void>((resolve) => {
    watch(directory, { signal: stop.signal }, () => existsSync(file) && resolve()).on('error', () => undefined);
  });
  const failed = started.exitCode.then(async () => {
    throw new Error(`it ended: ${await started.errors}`);
  });
  try {
    await Promise.race([appeared, failed]);
  } finally {
    stop.abort();
    failed.catch(() => undefined);
  }
  return JSON.parse(await readFile(file, 'utf8')).apiUrl;
}

function post(
  url: string,
  body: unknown,
  ca: string,
  bearer?: string,
): Promise<{ readonly status: number | undefined; readonly body: Record<string, string> }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }) };
    const call = request(url, { method: 'POST', ca, headers }, (answer) => {
      text(answer).then((answered) => resolve({ status: answer.statusCode, body: JSON.parse(answered) }), reject);
    });
    call.on('error', reject).end(JSON.stringify(body));
  });
}

function speakNonsense(apiUrl: string): Promise<string> {
  const socket = connect(Number(new URL(apiUrl).port), '127.0.0.1');
  socket.end('nonsense\r\n\r\n');
  return text(socket).catch(() => 'cut');
}

t.test('the process: first start, enrollment over real TLS, second opener, clean end', async (t) => {
  const directory = await temporaryDirectory(t);
  await placeEmbedded(directory);
  const environment = {
    JETBRIDGE_DATA_DIR: directory,
    JETBRIDGE_READY_FILE: join(directory, 'ready.json'),
    JETBRIDGE_LISTEN: '127.0.0.1:0',
    JETBRIDGE_LOG_LEVEL: 'trace',
  };
  const started = start(t, environment);
  const apiUrl = await ready(directory, started);
  const ca = await readFile(join(directory, 'ca.pem'), 'utf8');
  const password = (await readFile(join(directory, 'initial-admin-password'), 'utf8')).trim();
  t.equal((await stat(join(directory, 'initial-admin-password'))).mode & 0o777, 0o600);
  t.equal((await stat(join(directory, 'ca.pem'))).mode & 0o777, 0o644);

  const signedIn = await post(`${apiUrl}/v1/sign-in`, { username: 'admin', password }, ca);
  t.equal(signedIn.status, 200, 'the server is verified with ca.pem and 127.0.0.1');
  const { accessToken } = signedIn.body;
  const newToken = async (body: object): Promise<string> =>
    String((await post(`${apiUrl}/v1/enrollment-tokens`, body, ca, accessToken)).body['token']);
  const { signal } = new AbortController();

  const token = await newToken({ kind: 'worker', name: 'w1' });
  const worker = await enroll({ controlUrl: apiUrl, token, keys: generateKeyPair(), signal });
  t.match(worker.credential.identity, { kind: 'worker', id: worker.id, trustDomain: 'jetbridge.internal' });
  const asWorker = (method: 'GET' | 'PUT', path: string) =>
    controlRequest({ controlUrl: apiUrl, credential: () => worker.credential, method, path, ...(method === 'PUT' ? { body: {} } : {}) });
  t.match(await asWorker('GET', '/v1/worker/self'), { id: worker.id, name: 'w1', pool: 'default', gateways: [] });
  await t.rejects(asWorker('GET', `/v1/gateway/workers/${worker.id}`), { code: 'permission_denied' }, 'a worker on a route of gateways');
  await t.rejects(asWorker('PUT', '/v1/gateway/tunnels'), { code: 'permission_denied' });

  const gateway = await enroll({
    controlUrl: apiUrl,
    token: await newToken({ kind: 'gateway', name: 'g1', dnsNames: ['localhost'] }),
    keys: generateKeyPair(),
    signal,
  });
  const asGateway = (method: 'GET' | 'PUT', path: string, body?: unknown) =>
    controlRequest({ controlUrl: apiUrl, credential: () => gateway.credential, method, path, ...(body === undefined ? {} : { body }) });
  await asGateway('PUT', '/v1/gateway/self', { tunnelAddress: '127.0.0.1:31338', flightAddress: '127.0.0.1:31337', version: '0.1.0' });
  t.match(await asGateway('GET', `/v1/gateway/workers/${worker.id}`), { state: 'active' });
  t.match(await asWorker('GET', '/v1/worker/self'), {
    gateways: [{ id: gateway.id, tunnelAddress: '127.0.0.1:31338', serverName: 'localhost' }],
  });
  await t.rejects(asGateway('GET', '/v1/worker/self'), { code: 'permission_denied' }, 'a gateway on a route of workers');
  t.notMatch(await speakNonsense(apiUrl), /200/);

  const second = start(t, { ...environment, JETBRIDGE_READY_FILE: join(directory, 'second.json') });
  t.equal(await second.exitCode, 1);
  t.match(await second.errors, new RegExp(`^control-api: the data directory .* is in use by process ${started.process.pid} .*\n$`));
  const otherDirectory = await temporaryDirectory(t);
  await placeEmbedded(otherDirectory);
  const third = start(t, { ...environment, JETBRIDGE_DATA_DIR: otherDirectory, JETBRIDGE_LISTEN: new URL(apiUrl).host });
  t.equal(await third.exitCode, 1);
  t.match(await third.errors, /^control-api: cannot listen on 127\.0\.0\.1:\d+: the address is in use\n$/);

  started.process.kill('SIGTERM');
  t.equal(await started.exitCode, 0);
  t.notOk(existsSync(join(directory, 'ready.json')));
  t.equal(await started.errors, '');
  const output = await started.output;
  t.match(output, /control-api is ready/);
  for (const secret of [password, String(accessToken).slice(31), token.slice(31, 74)]) {
    t.notOk(output.includes(secret), 'no secret in the log');
  }
});

t.test('a bad configuration is told at once and ends with 64', async (t) => {
  const started = start(t, { JETBRIDGE_LISTEN: 'here', JETBRIDGE_LOG_LEVEL: 'loud' });
  t.equal(await started.exitCode, 64);
  t.equal((await started.errors).trim().split('\n').length, 3);
});
