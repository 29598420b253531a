import type { AddressInfo, Server } from 'node:net';
import { StatusError } from '@jetbridge/proto/status-error';

/** Where to listen; port 0 is any free one. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Resolves with the address in use once the server listens; rejects with a sentence that names the setting when it cannot. */
export async function listen(server: Server, address: ListenAddress, setting: string): Promise<ListenAddress> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(listenError(address, setting, cause)));
    server.listen({ host: address.host, port: address.port }, resolve);
  });
  const bound = server.address() as AddressInfo;
  return { host: bound.address, port: bound.port };
}

function listenError(address: ListenAddress, setting: string, cause: NodeJS.ErrnoException): StatusError {
  const reason = cause.code === 'EADDRINUSE' ? 'the port is in use' : cause.message;
  return new StatusError('failed_precondition', `cannot listen on ${formatAddress(address)} (${setting}): ${reason}`, { cause });
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
