import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { StatusError } from '@jetbridge/proto/status-error';
import { decodeHello, encodeHelloReply, type Hello, type HelloReply, TUNNEL_HELLO_PATH } from '@jetbridge/proto/tunnel';
import { type Call, GrpcServer, type GrpcServerOptions } from '../flight/server.ts';
import {
  DRAIN_TIMEOUT_MS,
  HEADER_LIST_BYTES_MAX,
  HEADER_PAIRS_MAX,
  HELLO_TIMEOUT_MS,
  STREAM_RESET_BURST,
  STREAM_RESETS_PER_SECOND,
  STREAM_WINDOW_BYTES,
  TUNNEL_MEMORY_MB,
  TUNNEL_STREAMS_MAX,
  TUNNEL_WINDOW_BYTES,
} from '../limits.ts';
import type { Logger } from '../telemetry.ts';
import { lingerBeforeEnd } from './linger.ts';
import { watchPeer } from './peer-watch.ts';

export interface TunnelOptions extends GrpcServerOptions {
  readonly gatewayId: string;
  readonly hello: () => HelloReply;
}

/** What a tunnel tells of itself while it lives. */
export interface TunnelEvents {
  /** The gateway said hello: from now on it may send calls. */
  serving(): void;
  /** No new calls will come: the gateway drains, or the tunnel is gone. Another one may be opened now. */
  retired(): void;
}

type State = 'awaiting_hello' | 'serving' | 'draining' | 'closed';

/**
 * Serves HTTP/2 on a socket this worker dialed (tunnel.md). Lives until the gateway closes it, stops answering pings, or `signal` fires: then
 * it drains, which lets running calls finish for a while. Resolves when the socket is closed.
 */
export function serveTunnel(socket: TLSSocket, options: TunnelOptions, events: TunnelEvents, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => new Tunnel(socket, options, events).live(signal, resolve));
}

class Tunnel {
  readonly #socket: TLSSocket;
  readonly #session: ServerHttp2Session;
  readonly #options: TunnelOptions;
  readonly #events: TunnelEvents;
  readonly #log: Logger;
  readonly #full: GrpcServer;
  readonly #greeting: GrpcServer;
  readonly #timers: NodeJS.Timeout[] = [];
  #state: State = 'awaiting_hello';
  #retired = false;

  constructor(socket: TLSSocket, options: TunnelOptions, events: TunnelEvents) {
    this.#socket = socket;
    this.#options = options;
    this.#events = events;
    this.#log = options.log.child({ gatewayId: options.gatewayId });
    const hello = [TUNNEL_HELLO_PATH, (call: Call) => this.#greet(call)] as const;
    this.#full = new GrpcServer({ ...options, handlers: new Map([...options.handlers, hello]) });
    this.#greeting = new GrpcServer({ ...options, handlers: new Map([hello]) });
    lingerBeforeEnd(socket, DRAIN_TIMEOUT_MS);
    this.#session = performServerHandshake(socket, {
      settings: {
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxConcurrentStreams: TUNNEL_STREAMS_MAX,
        maxHeaderListSize: HEADER_LIST_BYTES_MAX,
        enablePush: false,
      },
      maxHeaderListPairs: HEADER_PAIRS_MAX,
      maxSessionMemory: TUNNEL_MEMORY_MB,
      streamResetBurst: STREAM_RESET_BURST,
      streamResetRate: STREAM_RESETS_PER_SECOND,
    });
    this.#session.setLocalWindowSize(TUNNEL_WINDOW_BYTES);
    // A session whose socket is gone still waits for its streams: end it, so that statements stop and the next tunnel is dialed at once.
    socket.once('close', () => this.#session.destroy());
  }

  live(signal: AbortSignal, ended: () => void): void {
    const onStop = (): void => this.#drain();
    this.#session.on('stream', (stream, headers) => this.#serve(stream, headers));
    this.#session.on('error', (err) => this.#log.warn({ err }, 'tunnel failed'));
    this.#session.once('goaway', () => this.#retire());
    this.#session.once('close', () => {
      signal.removeEventListener('abort', onStop);
      this.#end();
      ended();
    });
    watchPeer(this.#session, this.#socket, (reason) => this.#cut(reason));
    this.#timers.push(setTimeout(() => this.#requireHello(), HELLO_TIMEOUT_MS));
    signal.addEventListener('abort', onStop, { once: true });
    if (signal.aborted) {
      onStop();
    }
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // Nothing is served to a peer that has not said which tunnel this is: before its hello there is only hello.
    const server = this.#state === 'awaiting_hello' ? this.#greeting : this.#full;
    void server.serve(stream, headers);
  }

  async #greet(call: Call): Promise<void> {
    const hello = decodeHello(await call.message());
    this.#accept(hello);
    await call.out.send(frameMessage(encodeHelloReply(this.#options.hello())));
  }

  #accept({ gatewayId, gatewayVersion, tunnelId }: Hello): void {
    if (gatewayId !== this.#options.gatewayId) {
      throw new StatusError('permission_denied', `the certificate is that of ${this.#options.gatewayId}, not of ${gatewayId}`);
    }
    if (this.#state === 'awaiting_hello') {
      this.#state = 'serving';
      this.#log.info({ tunnelId, gatewayVersion }, 'tunnel serves');
      this.#events.serving();
    }
  }

  #requireHello(): void {
    if (this.#state === 'awaiting_hello') {
      this.#cut('the gateway did not say hello in time');
    }
  }

  /** Ends everything at once. The session alone would wait for a write in progress, which a dead or frozen peer never lets end. */
  #cut(reason?: string): void {
    this.#session.destroy(reason === undefined ? undefined : new Error(reason));
    this.#socket.destroy();
  }

  // GOAWAY: the gateway sends nothing new here, what runs may end, and then the gateway closes (linger.ts).
  #drain(): void {
    if (this.#state === 'closed' || this.#state === 'draining') {
      return;
    }
    this.#state = 'draining';
    this.#session.close();
    this.#timers.push(setTimeout(() => this.#cut(), DRAIN_TIMEOUT_MS));
    this.#retire();
  }

  #retire(): void {
    if (!this.#retired) {
      this.#retired = true;
      this.#events.retired();
    }
  }

  #end(): void {
    this.#state = 'closed';
    for (const timer of this.#timers.splice(0)) {
      clearTimeout(timer);
    }
    this.#retire();
    this.#log.info('tunnel closed');
  }
}
