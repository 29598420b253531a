import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { StatusError } from '@jetbridge/proto/status-error';
import type { Hello, HelloReply } from '@jetbridge/proto/tunnel';
import type { Http2Limits, TunnelLimits } from '../limits.ts';
import { endSession } from './end-session.ts';
import { sayHello } from './hello.ts';
import { keepalive } from './keepalive.ts';
import { ReceiveWindow } from './receive-window.ts';
import type { RelayTunnel } from './relay-interface.ts';

/**
 * connecting → hello → ready → draining → closed; every state may go to closed, and nothing leads back.
 * `draining`: running streams finish, none is opened.
 */
export type TunnelState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'hello'; readonly session: ClientHttp2Session }
  | { readonly kind: 'ready'; readonly session: ClientHttp2Session; readonly worker: HelloReply; readonly connectedAt: Date }
  | { readonly kind: 'draining'; readonly session: ClientHttp2Session; readonly reason: string }
  | { readonly kind: 'closed'; readonly reason: string };

/** Who the other end is, by its certificate and by the control-api's word. */
export interface AdmittedWorker {
  readonly workerId: string;
  readonly pool: string;
}

export interface TunnelOptions {
  readonly socket: TLSSocket;
  readonly hello: Hello;
  readonly limits: TunnelLimits;
  readonly now: () => Date;
  /** Called after every change of state. */
  readonly changed: (tunnel: Tunnel) => void;
}

/** One worker's link to this gateway. The worker opened the connection; here the gateway is HTTP/2's client on it. */
export class Tunnel implements RelayTunnel {
  readonly id: string;
  readonly #options: TunnelOptions;
  #state: TunnelState = { kind: 'connecting' };
  #window: ReceiveWindow | undefined;

  constructor(options: TunnelOptions) {
    this.id = options.hello.tunnelId;
    this.#options = options;
    // A session whose socket is gone still waits for streams whose readers are slow: end it, so that they are told at once.
    options.socket.once('close', () => this.close('the connection was closed'));
  }

  get state(): TunnelState {
    return this.#state;
  }

  get streams(): number {
    return this.#window?.streams ?? 0;
  }

  /** What each stream may have under way now. */
  get streamWindowBytes(): number {
    return this.#window?.bytes ?? 0;
  }

  /** By the session, not by the state: streams learn of its end before anybody hears 'close'. */
  get lost(): boolean {
    const state = this.#state;
    return state.kind === 'closed' || (state.kind !== 'connecting' && state.session.destroyed);
  }

  /** Reverses the roles, asks who answers, and is ready when that is the admitted worker. Closes the tunnel and throws when it is not. */
  async open(worker: AdmittedWorker, signal: AbortSignal): Promise<HelloReply> {
    const { hello, limits, now } = this.#options;
    try {
      const session = this.#connect();
      const reply = await sayHello(session, hello, limits.helloBytes, signal);
      requireAdmitted(worker, reply);
      if (this.#state.kind !== 'hello') {
        throw new StatusError('unavailable', 'the tunnel closed before it was ready');
      }
      this.#become({ kind: 'ready', session, worker: reply, connectedAt: now() });
      this.#measure(session);
      return reply;
    } catch (thrown) {
      this.close(thrown instanceof Error ? thrown.message : 'the tunnel could not be opened');
      throw thrown;
    }
  }

  openStream(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    const state = this.#state;
    const window = this.#window;
    if (window === undefined || state.kind !== 'ready' || state.session.closed || state.session.destroyed) {
      throw new StatusError('unavailable', 'the tunnel to the worker is closing; run the statement again');
    }
    const most = Math.min(
      this.#options.limits.http2.streams,
      state.session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY,
    );
    if (window.streams >= most) {
      throw new StatusError('resource_exhausted', `the worker is at its limit of ${most} concurrent calls; try again later`);
    }
    window.opening();
    try {
      const stream = state.session.request(headers, { endStream: false });
      stream.once('close', () => window.closed());
      return stream;
    } catch (thrown) {
      window.closed();
      throw thrown;
    }
  }

  /** No new streams from now on; closes by itself when the last one has ended. */
  drain(reason: string): void {
    const state = this.#state;
    if (state.kind === 'ready') {
      this.#become({ kind: 'draining', session: state.session, reason });
      state.session.close();
    } else if (state.kind !== 'draining') {
      this.close(reason);
    }
  }

  /** Turns away a worker that may not have a tunnel, and tells it why. */
  refuse(reason: string): void {
    if (this.#state.kind === 'connecting' && !this.#options.socket.destroyed) {
      this.#connect();
    }
    this.close(reason);
  }

  /** At once: every stream in it is lost. The reason travels to the worker, which would otherwise see a bare end of connection. */
  close(reason: string): void {
    const state = this.#state;
    if (state.kind === 'closed') {
      return;
    }
    if (state.kind === 'connecting') {
      this.#options.socket.destroy();
    } else {
      endSession(state.session, this.#options.socket, reason);
    }
    this.#closed(reason);
  }

  #connect(): ClientHttp2Session {
    const { socket, limits } = this.#options;
    const session = connect('https://worker', sessionOptions(limits.http2, socket));
    this.#become({ kind: 'hello', session });
    session.on('error', (error) => this.#closed(error.message));
    session.once('close', () => this.#closed('the connection was closed'));
    session.once('goaway', () => this.drain('the worker drains'));
    const window = new ReceiveWindow(session, limits.window);
    this.#window = window;
    keepalive(
      session,
      limits.http2.keepalive,
      () => this.close('the worker has not answered a ping'),
      (roundTripMs) => window.measured(roundTripMs),
    );
    session.setLocalWindowSize(limits.http2.connectionWindowBytes);
    return session;
  }

  // One after the other, so that none waits for another; the shortest counts.
  #measure(session: ClientHttp2Session, left = this.#options.limits.window.firstPings, leastMs = Number.POSITIVE_INFINITY): void {
    if (left === 0) {
      this.#window?.measured(leastMs);
    } else if (!session.destroyed) {
      session.ping((error, roundTripMs) => {
        if (error === null) {
          this.#measure(session, left - 1, Math.min(leastMs, roundTripMs));
        }
      });
    }
  }

  #closed(reason: string): void {
    const state = this.#state;
    if (state.kind !== 'closed') {
      // Whatever ends a tunnel that drains, draining is why.
      this.#become({ kind: 'closed', reason: state.kind === 'draining' ? state.reason : reason });
    }
  }

  #become(state: TunnelState): void {
    this.#state = state;
    this.#options.changed(this);
  }
}

function sessionOptions(limits: Http2Limits, socket: TLSSocket) {
  return {
    createConnection: () => socket,
    settings: {
      initialWindowSize: limits.streamWindowBytes,
      maxHeaderListSize: limits.headerBytes,
      enablePush: false,
    },
    maxHeaderListPairs: limits.headerPairs,
    maxSessionMemory: limits.sessionMemoryMb,
    maxSendHeaderBlockLength: 2 * limits.headerBytes,
  };
}

// The certificate and the control-api decide; a worker that thinks otherwise would answer for the wrong catalogs.
function requireAdmitted(worker: AdmittedWorker, reply: HelloReply): void {
  if (reply.workerId !== worker.workerId || reply.pool !== worker.pool) {
    throw new StatusError(
      'failed_precondition',
      `the worker says it is ${reply.workerId} of pool "${reply.pool}", not what it was admitted as`,
    );
  }
}
