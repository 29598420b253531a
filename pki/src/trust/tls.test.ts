import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, connect, createServer, type TLSSocket } from 'node:tls';
import { TUNNEL_ALPN } from '@jetbridge/proto/tunnel-alpn';
import t, { type Test } from 'tap';
import {
  admission,
  attempt,
  listen,
  oddCertificate,
  serviceCredential,
  stealCa,
  TRUST_DOMAIN,
  testAuthority,
  workerCredential,
  workerUri,
} from '../fixture.ts';
import { type ExpectedPeer, requirePeer } from './peer.ts';
import { controlListenerOptions, flightListenerOptions, mutualClientOptions, tunnelDialOptions, tunnelListenerOptions } from './tls.ts';

const authority = await testAuthority(t);
const gateway = serviceCredential(authority, 'gateway');
const control = serviceCredential(authority, 'control-api');
const worker = workerCredential(authority);
const WORKER: ExpectedPeer = { kind: 'worker', usage: 'client', trustDomain: TRUST_DOMAIN, alpn: TUNNEL_ALPN };
const dial = tunnelDialOptions(() => worker);

const LISTENERS = [
  ['tunnel', tunnelListenerOptions(() => gateway), dial],
  ['flight', flightListenerOptions(() => gateway), { ca: gateway.bundlePem, ALPNProtocols: ['h2'] }],
  ['control', controlListenerOptions(() => control), mutualClientOptions(() => worker)],
] as const;

/** How a dialer fares: the error that ends the handshake, undefined when it succeeds. */
async function dialError(t: Test, port: number, options: ConnectionOptions): Promise<NodeJS.ErrnoException | undefined> {
  const socket = connect({ ...options, host: '127.0.0.1', port });
  t.teardown(() => socket.destroy());
  const { promise, resolve } = Promise.withResolvers<NodeJS.ErrnoException | undefined>();
  socket.once('secureConnect', () => resolve(undefined));
  socket.on('error', resolve);
  return await promise;
}

for (const [name, listener, client] of LISTENERS) {
  t.test(`the ${name} listener refuses TLS 1.2, at the start and after a reload`, async (t) => {
    const server = createServer(listener);
    server.on('tlsClientError', () => undefined);
    const port = await listen(t, server);
    const old = { ...client, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
    t.match(await dialError(t, port, old), { code: /PROTOCOL_VERSION/ });
    server.setSecureContext(listener);
    t.match(await dialError(t, port, old), { code: /PROTOCOL_VERSION/ });
    t.equal(await dialError(t, port, client), undefined);
  });

  t.test(`the ${name} listener refuses an application protocol it does not speak`, async (t) => {
    const server = createServer(listener);
    server.on('tlsClientError', () => undefined);
    t.match(await dialError(t, await listen(t, server), { ...client, ALPNProtocols: ['other/1'] }), { code: /NO_APPLICATION_PROTOCOL/ });
  });

  t.test(`the ${name} listener cuts a silent client`, async (t) => {
    const server = createServer({ ...listener, handshakeTimeout: 20 });
    const port = await listen(t, server);
    t.type(listener.handshakeTimeout, 'number');
    const silent = connectTcp(port, '127.0.0.1');
    t.teardown(() => silent.destroy());
    const [error] = await once(server, 'tlsClientError');
    t.match(error, { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
  });
}

t.test('a tunnel without ALPN is refused', async (t) => {
  const { ALPNProtocols: _, ...withoutAlpn } = dial;
  const outcome = await admission(
    t,
    tunnelListenerOptions(() => gateway),
    withoutAlpn,
    WORKER,
  );
  t.match(outcome, { code: 'unauthenticated', message: /must agree on jetbridge-tunnel\/1 by ALPN/ });
});

t.test('a tunnel without a certificate is refused in the handshake', async (t) => {
  const outcome = await admission(
    t,
    tunnelListenerOptions(() => gateway),
    { ...dial, key: undefined, cert: undefined },
    WORKER,
  );
  t.match(outcome, { code: 'unauthenticated', message: /PEER_DID_NOT_RETURN_A_CERTIFICATE/ });
});

t.test('without an expected protocol one must still be agreed on', async (t) => {
  const { ALPNProtocols: _, ...withoutAlpn } = mutualClientOptions(() => worker);
  const { alpn: __, ...anyProtocol } = WORKER;
  const outcome = await admission(
    t,
    controlListenerOptions(() => control),
    withoutAlpn,
    anyProtocol,
  );
  t.match(outcome, { code: 'unauthenticated', message: /must agree on a protocol by ALPN/ });
});

/** Two connections, the second one offering the session of the first; what the server says of the second. */
async function resume(
  t: Test,
  listener: Parameters<typeof createServer>[0],
  client: ConnectionOptions,
  reload: boolean,
): Promise<TLSSocket> {
  const server = createServer(listener ?? {});
  const port = await listen(t, server);
  const sessions: Buffer[] = [];
  for (const round of [1, 2]) {
    const accepted = once(server, 'secureConnection');
    const socket = connect({ ...client, host: '127.0.0.1', port, session: sessions.at(-1) });
    t.teardown(() => socket.destroy());
    socket.on('session', (session) => sessions.push(session));
    socket.resume();
    const [peer] = (await accepted) as [TLSSocket];
    if (round === 2) {
      return peer;
    }
    peer.end('x');
    await once(socket, 'close');
    if (reload) {
      server.setSecureContext(listener ?? {});
    }
  }
  throw new Error('not reached');
}

for (const [name, listener, client] of LISTENERS.filter(([name]) => name !== 'flight')) {
  for (const reload of [false, true]) {
    t.test(`the ${name} listener resumes no session${reload ? ' after a reload' : ''}`, async (t) => {
      t.equal((await resume(t, listener, client, reload)).isSessionReused(), false);
    });
  }
}

t.test('where a session is resumed all the same, requirePeer refuses it', async (t) => {
  const peer = await resume(t, { ...tunnelListenerOptions(() => gateway), secureOptions: 0 }, dial, false);
  t.equal(peer.isSessionReused(), true, 'the attack works on a listener without our option');
  t.match(
    attempt(() => requirePeer(peer, WORKER)),
    { code: 'unauthenticated', message: /resumed TLS session/ },
  );
});

t.test('a dialer knows the gateway by its identity, under any host name', async (t) => {
  const port = await listen(t, createServer(tunnelListenerOptions(() => gateway)));
  const socket = connect({ ...dial, host: '127.0.0.1', port, servername: 'some.other.name' });
  t.teardown(() => socket.destroy());
  await once(socket, 'secureConnect');
  t.strictSame(requirePeer(socket, { kind: 'gateway', usage: 'server', trustDomain: TRUST_DOMAIN }), gateway.identity);
});

t.test('a dialer refuses within the handshake whoever is not the server it wants', async (t) => {
  const workers = await stealCa(authority, 'workers');
  const names = [{ type: 'uri', value: gateway.identity.id && `spiffe://${TRUST_DOMAIN}/gateway/${gateway.identity.id}` }] as const;
  const impostor = oddCertificate(workers, { role: { type: 'leaf', extendedKeyUsages: ['serverAuth', 'clientAuth'], names } });
  const asServer = oddCertificate(workers, {
    role: { type: 'leaf', extendedKeyUsages: ['serverAuth'], names: [{ type: 'uri', value: workerUri() }] },
  });
  for (const [server, refusal] of [
    [
      { key: control.privateKeyPem, cert: control.certificateChainPem },
      { code: 'permission_denied', message: /of a control-api, not of a gateway/ },
    ],
    [{ key: worker.privateKeyPem, cert: worker.certificateChainPem }, { code: /INVALID_PURPOSE/ }],
    [impostor, { code: 'permission_denied', message: /not issued by the services CA/ }],
    [asServer, { code: 'permission_denied', message: /of a worker, not of a gateway/ }],
  ] as const) {
    const listener = createServer({ ...tunnelListenerOptions(() => gateway), ...server });
    listener.on('tlsClientError', () => undefined);
    t.match(await dialError(t, await listen(t, listener), dial), refusal);
  }
});

t.test('a Flight client trusts the gateway by CA file and host name alone', async (t) => {
  const server = createServer(flightListenerOptions(() => gateway));
  const port = await listen(t, server);
  const client = { ca: authority.bundlePem, ALPNProtocols: ['h2'] };
  t.equal(await dialError(t, port, { ...client, servername: 'localhost' }), undefined);
  t.equal(await dialError(t, port, client), undefined, 'the IP address is in the certificate');
  t.match(await dialError(t, port, { ...client, servername: 'other.example' }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});
