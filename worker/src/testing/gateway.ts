import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Credential } from '@jetbridge/pki/credential/credential';
import { tunnelListenerOptions } from '@jetbridge/pki/trust/tls';
import type { GatewayAddress } from '@jetbridge/proto/enrollment';
import { newId } from '@jetbridge/proto/ids';
import { decodeHelloReply, encodeHello, type HelloReply, TUNNEL_HELLO_PATH } from '@jetbridge/proto/tunnel';
import { callUnary } from './grpc-client.ts';

// Wide enough for a whole answer to arrive before anybody reads it.
const WINDOW_BYTES = 64 * 1024 * 1024;

/** A tunnel as the gateway sees it: the HTTP/2 client on a socket that a worker opened. */
export interface TestTunnel {
  readonly session: ClientHttp2Session;
  readonly socket: TLSSocket;
}

/** Listens like a gateway and takes tunnels, one after the other. */
export class TestGateway {
  readonly #server: Server;
  readonly #sockets: Set<TLSSocket> = new Set();
  readonly #credential: Credential;
  readonly #waiting: TLSSocket[] = [];
  #wanted: ((socket: TLSSocket) => void) | undefined;

  private constructor(credential: Credential) {
    this.#credential = credential;
    this.#server = createServer(
      tunnelListenerOptions(() => credential),
      (socket) => this.#take(socket),
    );
  }

  static async listen(credential: Credential, port = 0): Promise<TestGateway> {
    const gateway = new TestGateway(credential);
    gateway.#server.listen(port, '127.0.0.1');
    await once(gateway.#server, 'listening');
    return gateway;
  }

  get address(): GatewayAddress {
    const { port } = this.#server.address() as AddressInfo;
    return { id: this.#credential.identity.id, tunnelAddress: `127.0.0.1:${port}`, serverName: 'localhost' };
  }

  #take(socket: TLSSocket): void {
    this.#sockets.add(socket);
    socket.on('error', () => this.#sockets.delete(socket));
    socket.once('close', () => this.#sockets.delete(socket));
    const wanted = this.#wanted;
    this.#wanted = undefined;
    if (wanted === undefined) {
      this.#waiting.push(socket);
    } else {
      wanted(socket);
    }
  }

  /** The next socket a worker opened, before any HTTP/2 on it. */
  nextSocket(): Promise<TLSSocket> {
    const socket = this.#waiting.shift();
    return socket === undefined ? new Promise((resolve) => (this.#wanted = resolve)) : Promise.resolve(socket);
  }

  async nextTunnel(): Promise<TestTunnel> {
    const socket = await this.nextSocket();
    const session = connect('http://worker', { createConnection: () => socket, settings: { initialWindowSize: WINDOW_BYTES } });
    session.once('connect', () => session.setLocalWindowSize(WINDOW_BYTES));
    session.on('error', () => socket.destroy());
    return { session, socket };
  }

  hello({ session }: TestTunnel, gatewayId: string = this.#credential.identity.id): Promise<HelloReply> {
    const message = encodeHello({ gatewayId, gatewayVersion: '0', tunnelId: newId('tun') });
    return callUnary(session, TUNNEL_HELLO_PATH, message).then(decodeHelloReply);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await closed;
  }
}
