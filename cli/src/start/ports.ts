import { createServer } from 'node:net';
import { CommandError } from '../usage.ts';

/** A port the mesh listens on and the flag that moves it. */
export interface WantedPort {
  readonly port: number;
  readonly flag: string;
  readonly purpose: string;
}

/** Says before anything starts which flag to change when a port is taken. Port 0 is always free. */
export async function requireFreePorts(wanted: readonly WantedPort[], host: string): Promise<void> {
  const fixed = wanted.filter(({ port }) => port !== 0);
  const twice = fixed.find(({ port }, i) => fixed.findIndex((other) => other.port === port) !== i);
  if (twice !== undefined) {
    throw new CommandError(`port ${twice.port} is given for two purposes; change --${twice.flag}`);
  }
  for (const { port, flag, purpose } of fixed) {
    const failure = await bindOnce(port, host);
    if (failure === 'EADDRINUSE') {
      throw new CommandError(
        `port ${port} (${purpose}) is in use by another program; choose another with --${flag}, or --${flag} 0 for any free port`,
      );
    }
    if (failure !== undefined) {
      throw new CommandError(`port ${port} (${purpose}) cannot be used (${failure}); choose another with --${flag}`);
    }
  }
}

/** Says before anything starts that this platform cannot deal one port's connections out among processes. */
export async function requireSharedPorts(host: string, bind: typeof bindOnce = bindOnce): Promise<void> {
  const failure = await bind(0, host, { reusePort: true });
  if (failure !== undefined) {
    throw new CommandError(
      `--gateways needs ports that processes can share (SO_REUSEPORT), which ${process.platform} does not offer here (${failure}); start one gateway`,
    );
  }
}

function bindOnce(port: number, host: string, options: { readonly reusePort?: boolean } = {}): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true, ...options }, () => server.close(() => resolve(undefined)));
  });
}
