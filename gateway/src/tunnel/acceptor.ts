import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { CredentialSource } from '@jetbridge/pki/credential/credential';
import { explainHandshakeFailure, requirePeer } from '@jetbridge/pki/trust/peer';
import { tunnelListenerOptions } from '@jetbridge/pki/trust/tls';
import { newId } from '@jetbridge/proto/ids';
import { StatusError, toStatusError } from '@jetbridge/proto/status-error';
import { TUNNEL_ALPN } from '@jetbridge/proto/tunnel-alpn';
import { JETBRIDGE_VERSION } from '@jetbridge/proto/version';
import type { Logger } from 'pino';
import type { Control } from '../control/interface.ts';
import { TIMER_MAX_MS, type TunnelLimits } from '../limits.ts';
import { Tunnel } from './tunnel.ts';
import type { Tunnels } from './tunnels.ts';

export interface AcceptorOptions {
  readonly credential: CredentialSource;
  readonly control: Pick<Control, 'admission'>;
  readonly tunnels: Tunnels;
  readonly limits: TunnelLimits;
  readonly log: Logger;
  readonly now: () => Date;
}

/** The listener that workers dial. Who gets a tunnel: a worker's certificate proves the identity, the control-api says whether it is still believed. */
export function createTunnelListener(options: AcceptorOptions): Server {
  const { limits, log } = options;
  const server = createServer({ ...tunnelListenerOptions(options.credential), handshakeTimeout: limits.tlsHandshakeTimeoutMs });
  server.maxConnections = limits.tunnels;
  server.on('tlsClientError', (error, socket) => {
    log.warn({ remoteAddress: socket.remoteAddress, reason: explainHandshakeFailure(error, socket).message }, 'tunnel handshake failed');
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {
      // 'close' follows, and the tunnel hears it.
    });
    socket.setNoDelay(true);
    void accept(socket, options);
  });
  return server;
}

async function accept(socket: TLSSocket, options: AcceptorOptions): Promise<void> {
  const { credential, tunnels, limits, now } = options;
  const { trustDomain, id: gatewayId } = credential().identity;
  const remoteAddress = socket.remoteAddress;
  const tunnel = new Tunnel({
    socket,
    hello: { gatewayId, gatewayVersion: JETBRIDGE_VERSION, tunnelId: newId('tun') },
    limits,
    now,
    changed: (changed) => tunnels.track(changed),
  });
  tunnels.track(tunnel);
  const log = options.log.child({ tunnelId: tunnel.id, remoteAddress });
  try {
    const worker = requirePeer(socket, { kind: 'worker', usage: 'client', trustDomain, alpn: TUNNEL_ALPN, now });
    const pool = await admittedPool(worker.id, options);
    const { bootId, version, catalogs } = await tunnel.open({ workerId: worker.id, pool }, AbortSignal.timeout(limits.admissionTimeoutMs));
    closeAtExpiry(tunnel, socket, now);
    log.info({ workerId: worker.id, pool, bootId, version, catalogs }, 'tunnel ready');
    socket.once('close', () => log.info({ workerId: worker.id, reason: reasonOf(tunnel) }, 'tunnel closed'));
  } catch (thrown) {
    const error = toStatusError(thrown);
    log.warn({ code: error.code, reason: error.message, err: error.cause }, 'tunnel refused');
    tunnel.refuse(error.message);
  }
}

async function admittedPool(workerId: string, { control, limits }: AcceptorOptions): Promise<string> {
  const admission = await control.admission(workerId, AbortSignal.timeout(limits.admissionTimeoutMs));
  if (admission.state !== 'active') {
    throw new StatusError('permission_denied', `the worker is ${admission.state}; enroll it again with a new enrollment token`);
  }
  return admission.pool;
}

function closeAtExpiry(tunnel: Tunnel, socket: TLSSocket, now: () => Date): void {
  const notAfter = socket.getPeerX509Certificate()?.validToDate ?? now();
  const expiry = setTimeout(
    () => tunnel.close("the worker's certificate has expired"),
    Math.min(Math.max(notAfter.getTime() - now().getTime(), 0), TIMER_MAX_MS),
  );
  socket.once('close', () => clearTimeout(expiry));
}

function reasonOf(tunnel: Tunnel): string {
  const { state } = tunnel;
  return state.kind === 'closed' || state.kind === 'draining' ? state.reason : '';
}
