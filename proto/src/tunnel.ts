import { STRUCTURE_MAX_BYTES } from './limits.ts';
import { loadMessages } from './message-codec.ts';

/** The first call in a tunnel, from the gateway to the worker. */
export const TUNNEL_HELLO_PATH = '/jetbridge.tunnel.v1.Tunnel/Hello';

/** The gateway introduces itself; its identity is the certificate's, so this decides nothing. */
export interface Hello {
  readonly gatewayId: string;
  readonly gatewayVersion: string;
  readonly tunnelId: string;
}

export interface HelloReply {
  readonly workerId: string;
  /** New with every start of the worker's process. */
  readonly bootId: string;
  readonly pool: string;
  readonly version: string;
  readonly catalogs: readonly string[];
  /** Empty when the worker has no default. */
  readonly defaultCatalog: string;
}

const codecOf = loadMessages('jetbridge/tunnel/v1/tunnel.proto');
const hello = codecOf<Hello>('jetbridge.tunnel.v1.HelloRequest', STRUCTURE_MAX_BYTES);
const helloReply = codecOf<HelloReply>('jetbridge.tunnel.v1.HelloReply', STRUCTURE_MAX_BYTES);

export const encodeHello = hello.encode;
export const decodeHello = hello.decode;
export const encodeHelloReply = helloReply.encode;
export const decodeHelloReply = helloReply.decode;
