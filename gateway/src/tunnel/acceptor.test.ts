import { once } from 'node:events';
import { performServerHandshake } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { tunnelDialOptions } from '@jetbridge/pki/trust/tls';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { newId } from '@jetbridge/proto/ids';
import t from 'tap';
import { TUNNEL_LIMITS } from '../limits.ts';
import { freezableLink } from '../testing/freezable-link.ts';
import { answered, call, closed, dial, type Mesh, serveTunnel, startMesh, until } from '../testing/mesh.ts';

/** What a refused worker is told. */
async function refusalOf(mesh: Mesh, workerId: string, said = { workerId, pool: 'default' }): Promise<string> {
  const session = serveTunnel(await dial(mesh.tunnelPort, mesh.newWorkerCredential(workerId)), said);
  const [, , reason] = (await once(session, 'goaway')) as [number, number, Buffer];
  return reason.toString();
}

t.test('an admitted worker gets a tunnel, and is gone when it closes', async (t) => {
  const mesh = await startMesh(t);
  const worker = await mesh.startWorker({ pool: 'sales', catalogs: ['main', 'lake'] });
  const [entry] = mesh.tunnels.ready();
  t.match(entry, { workerId: worker.workerId, pool: 'sales', bootId: 'boot', catalogs: ['main', 'lake'] });
  t.same([...mesh.tunnels.pools().keys()], ['sales']);
  worker.socket.destroy();
  await until(mesh.tunnels, () => mesh.tunnels.ready().length === 0);
  t.equal(mesh.tunnels.size, 0);
  t.equal(entry?.tunnel.state.kind, 'closed');
});

t.test('a worker that has started anew ends the tunnels of its former process, and only those', async (t) => {
  const mesh = await startMesh(t);
  const { workerId } = await mesh.startWorker({ bootId: 'first' });
  await mesh.startWorker({ workerId, bootId: 'first' });
  await mesh.startWorker({ bootId: 'first' });
  t.equal(mesh.tunnels.ready().length, 3, 'a second tunnel of the same start, and another worker');
  const former = mesh.tunnels.ready().filter((entry) => entry.workerId === workerId);
  await mesh.startWorker({ workerId, bootId: 'second' });
  t.same(
    former.map(({ tunnel }) => tunnel.state),
    former.map(() => ({ kind: 'closed', reason: 'the worker has started anew' })),
  );
  t.equal(mesh.tunnels.ready().length, 2);
  t.equal(mesh.tunnels.ofWorker(workerId)?.bootId, 'second');
});

t.test('refusals say why', async (t) => {
  const mesh = await startMesh(t);
  await t.test('a worker the control-api does not know', async (t) => {
    t.match(await refusalOf(mesh, newId('wkr')), /no such worker/);
  });
  await t.test('a revoked one', async (t) => {
    const workerId = newId('wkr');
    mesh.control.addWorker(workerId, 'default', 'revoked');
    t.match(await refusalOf(mesh, workerId), /revoked/);
  });
  await t.test('one that says it is another', async (t) => {
    const workerId = newId('wkr');
    mesh.control.addWorker(workerId);
    t.match(await refusalOf(mesh, workerId, { workerId: newId('wkr'), pool: 'default' }), /not what it was admitted as/);
  });
  await t.test('one that says it is of another pool', async (t) => {
    const workerId = newId('wkr');
    mesh.control.addWorker(workerId);
    t.match(await refusalOf(mesh, workerId, { workerId, pool: 'finance' }), /not what it was admitted as/);
  });
  await t.test('any while the control-api cannot be reached', async (t) => {
    const workerId = newId('wkr');
    mesh.control.addWorker(workerId);
    mesh.control.reachable = false;
    t.match(await refusalOf(mesh, workerId), /cannot be reached/);
  });
  t.equal(mesh.tunnels.size, 0);
});

t.test('without the certificate of a worker, or without ALPN, there is no tunnel', async (t) => {
  const mesh = await startMesh(t);
  const workerId = newId('wkr');
  mesh.control.addWorker(workerId);
  const options = { ...tunnelDialOptions(() => mesh.newWorkerCredential(workerId)), host: '127.0.0.1', port: mesh.tunnelPort };
  for (const [name, odd] of [
    ['no certificate', { key: undefined, cert: undefined }],
    ['no ALPN', { ALPNProtocols: undefined }],
  ] as const) {
    await t.test(name, async () => {
      const socket = connectTls({ ...options, ...odd });
      socket.on('error', () => undefined);
      socket.resume();
      await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    });
  }
  t.equal(mesh.tunnels.size, 0);
});

t.test('a worker that does not answer Hello in time is refused', async (t) => {
  const mesh = await startMesh(t, { tunnel: { admissionTimeoutMs: 50 } });
  const workerId = newId('wkr');
  mesh.control.addWorker(workerId);
  const session = performServerHandshake(await dial(mesh.tunnelPort, mesh.newWorkerCredential(workerId)));
  session.on('error', () => undefined);
  session.on('stream', (stream) => stream.on('error', () => undefined));
  const [, , reason] = (await once(session, 'goaway')) as [number, number, Buffer];
  t.match(reason.toString(), /did not answer Hello/);
});

t.test('a silent worker is given up, and its calls with it', async (t) => {
  const mesh = await startMesh(t, {
    tunnel: { http2: { ...TUNNEL_LIMITS.http2, keepalive: { pingIntervalMs: 20, pingTimeoutMs: 60 } } },
  });
  const link = await freezableLink(t, mesh.tunnelPort);
  const workerId = newId('wkr');
  mesh.control.addWorker(workerId);
  serveTunnel(await dial(link.port, mesh.newWorkerCredential(workerId)), {
    workerId,
    pool: 'default',
    serve: (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.write(frameMessage(Buffer.from('first')));
    },
  });
  await until(mesh.tunnels, () => mesh.tunnels.ready().length === 1);
  const [entry] = mesh.tunnels.ready();
  const request = call(mesh.connectClient(), 'ListActions');
  request.end();
  const reply = answered(request);
  await once(request, 'data');
  link.freeze();
  t.equal((await reply).trailers?.['grpc-status'], '14');
  t.equal(mesh.tunnels.ready().length, 0);
  t.match(entry?.tunnel.state, { kind: 'closed', reason: /ping/ });
});

t.test('a quiet worker that answers pings is kept', async (t) => {
  const mesh = await startMesh(t, {
    tunnel: { http2: { ...TUNNEL_LIMITS.http2, keepalive: { pingIntervalMs: 5, pingTimeoutMs: 2_000 } } },
  });
  const worker = await mesh.startWorker();
  for (let pings = 0; pings < 4; pings += 1) {
    await once(worker.session, 'ping');
  }
  t.equal(mesh.tunnels.ready().length, 1);
});

t.test('a worker that drains gets nothing new, and finishes what runs', async (t) => {
  const mesh = await startMesh(t);
  let finish: () => void = () => undefined;
  const old = await mesh.startWorker({
    serve: (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.write(frameMessage(Buffer.from('old')));
      finish = () => stream.end();
    },
  });
  const client = mesh.connectClient();
  const running = call(client, 'ListActions');
  running.end();
  const reply = answered(running);
  await once(running, 'data');
  old.session.close();
  await until(mesh.tunnels, () => mesh.tunnels.ready().length === 0);
  const refused = call(client, 'ListActions');
  refused.end();
  t.equal((await answered(refused)).headers?.['grpc-status'], '14');
  finish();
  t.equal((await reply).trailers?.['grpc-status'], '0');
});

t.test('the newest tunnel of a worker takes its calls', async (t) => {
  const mesh = await startMesh(t);
  const workerId = newId('wkr');
  await mesh.startWorker({ workerId, serve: (stream) => stream.close() });
  const first = mesh.tunnels.ofWorker(workerId)?.tunnelId;
  await mesh.startWorker({ workerId });
  t.not(mesh.tunnels.ofWorker(workerId)?.tunnelId, first);
  t.same(mesh.tunnels.pools().get('default')?.workerIds, [workerId]);
});

t.test('more calls than a tunnel carries are refused, not queued', async (t) => {
  const mesh = await startMesh(t, { tunnel: { http2: { ...TUNNEL_LIMITS.http2, streams: 1 } } });
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
  await mesh.startWorker({ serve: () => arrive() });
  const client = mesh.connectClient();
  const first = call(client, 'ListActions');
  first.end();
  await arrived;
  const second = call(client, 'ListActions');
  second.end();
  t.equal((await answered(second)).headers?.['grpc-status'], '8');
  first.close();
  await closed(first);
});

t.test("a tunnel ends with the worker's certificate", async (t) => {
  const clock = { now: new Date() };
  const mesh = await startMesh(t, { now: () => clock.now });
  const workerId = newId('wkr');
  mesh.control.addWorker(workerId);
  const credential = mesh.newWorkerCredential(workerId);
  clock.now = new Date(credential.notAfter.getTime() - 50);
  serveTunnel(await dial(mesh.tunnelPort, credential), { workerId, pool: 'default' });
  await until(mesh.tunnels, () => mesh.tunnels.ready().length === 1);
  const [entry] = mesh.tunnels.ready();
  await until(mesh.tunnels, () => mesh.tunnels.ready().length === 0);
  t.match(entry?.tunnel.state, { kind: 'closed', reason: /certificate has expired/ });
});
