import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { CredentialSource } from '@jetbridge/pki/credential/credential';
import { requirePeer } from '@jetbridge/pki/trust/peer';
import { tunnelDialOptions } from '@jetbridge/pki/trust/tls';
import type { GatewayAddress } from '@jetbridge/proto/enrollment';
import { StatusError } from '@jetbridge/proto/status-error';
import { TUNNEL_ALPN } from '@jetbridge/proto/tunnel-alpn';
import { DIAL_TIMEOUT_MS } from '../limits.ts';

/** Connects to a gateway. What resolves is a socket whose other end has proven to be exactly the gateway that was asked for. */
export type Dial = (gateway: GatewayAddress, signal: AbortSignal) => Promise<TLSSocket>;

export function createDialer(credential: CredentialSource): Dial {
  return async (gateway, signal) => {
    const socket = await connectTo(gateway, credential, AbortSignal.any([signal, AbortSignal.timeout(DIAL_TIMEOUT_MS)]));
    try {
      const { trustDomain } = credential().identity;
      const peer = requirePeer(socket, { kind: 'gateway', usage: 'server', trustDomain, alpn: TUNNEL_ALPN });
      if (peer.id !== gateway.id) {
        throw new StatusError('permission_denied', `${gateway.tunnelAddress} is the gateway ${peer.id}, not ${gateway.id}`);
      }
      return socket;
    } catch (thrown) {
      socket.destroy();
      throw thrown;
    }
  };
}

function connectTo({ tunnelAddress, serverName }: GatewayAddress, credential: CredentialSource, signal: AbortSignal): Promise<TLSSocket> {
  const { host, port } = hostAndPort(tunnelAddress);
  return new Promise((resolve, reject) => {
    // RFC 6066, 3: a server name is never an IP address.
    const servername = isIP(serverName) === 0 ? { servername: serverName } : {};
    const socket = connect({ ...tunnelDialOptions(credential), ...servername, host, port });
    const finish = (settle: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError).off('close', onClose);
      settle();
    };
    const fail = (message: string, cause?: unknown): void =>
      finish(() => {
        socket.on('error', () => undefined);
        socket.destroy();
        reject(cause instanceof StatusError ? cause : new StatusError('unavailable', message, { cause }));
      });
    const onAbort = (): void => fail(`${tunnelAddress} does not answer`, signal.reason);
    const onError = (cause: Error): void => fail(`cannot connect to ${tunnelAddress}: ${cause.message}`, cause);
    const onClose = (): void => fail(`${tunnelAddress} closed the connection`);
    socket.once('secureConnect', () =>
      finish(() => {
        socket.setNoDelay(true);
        resolve(socket);
      }),
    );
    socket.on('error', onError).on('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) {
      onAbort();
    }
  });
}

/** `host:port` or `[v6]:port`. */
export function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const [, v6, name, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = v6 ?? name;
  if (host === undefined) {
    throw new StatusError('invalid_argument', `${JSON.stringify(address)} is not an address (host:port)`);
  }
  return { host, port: Number(digits) };
}
