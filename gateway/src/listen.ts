import type { AddressInfo, Server } from 'node:net';
import { StatusError } from '@jetbridge/proto/status-error';

/** Where to listen; port 0 is any free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface ListenOptions {
  /** SO_REUSEPORT: other processes of this account may listen at the same address. */
  readonly reusePort?: boolean;
}

/** Resolves with the address in use once the server listens; rejects with a sentence that names the setting when it cannot. */
export async function listen(
  server: Server,
  address: ListenAddress,
  setting: string,
  { reusePort = false }: ListenOptions = {},
): Promise<ListenAddress> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(listenError(address, setting, cause)));
    server.listen({ host: address.host, port: address.port, reusePort }, resolve);
  });
  const bound = server.address() as AddressInfo;
  return { host: bound.address, port: bound.port };
}

const LISTEN_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use',
  ENOTSUP: 'on this platform processes cannot share a port; run one gateway, without JETBRIDGE_FLIGHT_REUSE_PORT',
};

function listenError(address: ListenAddress, setting: string, cause: NodeJS.ErrnoException): StatusError {
  const reason = LISTEN_REASONS[cause.code ?? ''] ?? cause.message;
  return new StatusError('failed_precondition', `cannot listen on ${formatAddress(address)} (${setting}): ${reason}`, { cause });
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
