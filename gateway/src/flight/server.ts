import { createSecretKey, randomBytes } from 'node:crypto';
import { type IncomingHttpHeaders, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { CredentialSource } from '@jetbridge/pki/credential/credential';
import { flightListenerOptions } from '@jetbridge/pki/trust/tls';
import type { Logger } from 'pino';
import type { FlightLimits, Http2Limits } from '../limits.ts';
import { endSession } from '../tunnel/end-session.ts';
import { keepalive } from '../tunnel/keepalive.ts';
import type { ClientConnection } from './authenticate.ts';

const ALPN = 'h2';

export interface FlightServerOptions {
  readonly credential: CredentialSource;
  readonly limits: FlightLimits;
  readonly log: Logger;
  /** Serves one call. Must not throw. */
  readonly serve: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: ClientConnection) => void;
}

/** Where Flight clients connect: TLS, then HTTP/2 and nothing else. */
export class FlightServer {
  readonly listener: Server;
  readonly #options: FlightServerOptions;
  readonly #sessions = new Map<ServerHttp2Session, TLSSocket>();

  constructor(options: FlightServerOptions) {
    this.#options = options;
    const { limits, log } = options;
    this.listener = createServer({ ...flightListenerOptions(options.credential), handshakeTimeout: limits.tlsHandshakeTimeoutMs });
    this.listener.maxConnections = limits.connections;
    this.listener.on('tlsClientError', (error, socket) => {
      log.debug({ remoteAddress: socket.remoteAddress, reason: error.message }, 'client handshake failed');
    });
    this.listener.on('secureConnection', (socket) => this.#connected(socket));
  }

  get connections(): number {
    return this.#sessions.size;
  }

  /** Takes nothing new and lets running calls finish; whoever is not done when the signal aborts is cut off. */
  async drain(signal: AbortSignal): Promise<void> {
    this.listener.close();
    const ended = [...this.#sessions.keys()].map(
      (session) => new Promise<void>((resolve) => (session.destroyed ? resolve() : session.once('close', resolve))),
    );
    for (const session of this.#sessions.keys()) {
      session.close();
    }
    signal.addEventListener('abort', () => this.#cutAll(), { once: true });
    if (signal.aborted) {
      this.#cutAll();
    }
    await Promise.all(ended);
  }

  #cutAll(): void {
    for (const [session, socket] of this.#sessions) {
      endSession(session, socket, 'the gateway shuts down');
    }
  }

  #connected(socket: TLSSocket): void {
    socket.on('error', () => {
      // 'close' follows, and the session hears it.
    });
    if (socket.destroyed || socket.alpnProtocol !== ALPN) {
      this.#options.log.debug({ remoteAddress: socket.remoteAddress }, 'client without HTTP/2 refused');
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    const { limits, serve } = this.#options;
    const connection: ClientConnection = {
      address: socket.remoteAddress ?? 'unknown',
      sessionKey: createSecretKey(randomBytes(32)),
    };
    const session = performServerHandshake(socket, sessionOptions(limits.http2));
    this.#sessions.set(session, socket);
    session.once('close', () => this.#sessions.delete(session));
    session.on('error', () => {
      // Whatever the client did wrong has ended its own session only.
    });
    session.setLocalWindowSize(limits.http2.connectionWindowBytes);
    keepalive(session, limits.http2.keepalive, () => endSession(session, socket, 'no answer to a ping'));
    session.on('stream', (stream, headers) => serve(stream, headers, connection));
  }
}

function sessionOptions(limits: Http2Limits) {
  return {
    settings: {
      initialWindowSize: limits.streamWindowBytes,
      maxConcurrentStreams: limits.streams,
      maxHeaderListSize: limits.headerBytes,
      enablePush: false,
    },
    maxHeaderListPairs: limits.headerPairs,
    maxSessionMemory: limits.sessionMemoryMb,
  };
}
