import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { frameMessage } from '@jetbridge/proto/grpc-frame';
import { StatusError } from '@jetbridge/proto/status-error';
import { decodeGrpcMessage } from '@jetbridge/proto/status-grpc';
import type { Logger } from 'pino';
import type { RelayTunnel } from '../tunnel/relay-interface.ts';

export interface ForwardedClosesOptions {
  /** On their way through one tunnel. */
  readonly most: number;
  readonly log: Logger;
}

/**
 * Closes of prepared statements that were answered already and travel behind their answer. Each enters its tunnel before the client can have
 * heard, so nothing that the client sends next overtakes it.
 */
export class ForwardedCloses {
  readonly #options: ForwardedClosesOptions;
  readonly #underWay = new WeakMap<RelayTunnel, number>();

  constructor(options: ForwardedClosesOptions) {
    this.#options = options;
  }

  /** False when it was not sent: too many are under way, or the tunnel takes none. */
  forward(tunnel: RelayTunnel, headers: OutgoingHttpHeaders, message: Buffer): boolean {
    if ((this.#underWay.get(tunnel) ?? 0) >= this.#options.most) {
      return false;
    }
    try {
      this.#send(tunnel, headers, message);
      return true;
    } catch (thrown) {
      if (thrown instanceof StatusError) {
        return false;
      }
      throw thrown;
    }
  }

  #send(tunnel: RelayTunnel, headers: OutgoingHttpHeaders, message: Buffer): void {
    const stream = tunnel.openStream(headers);
    this.#count(tunnel, 1);
    let answer: IncomingHttpHeaders | undefined;
    const keep = (received: IncomingHttpHeaders): void => {
      answer = received;
    };
    stream.on('error', () => undefined);
    stream.once('response', keep).once('trailers', keep);
    stream.once('close', () => {
      this.#count(tunnel, -1);
      this.#report(tunnel, answer);
    });
    stream.resume();
    stream.end(frameMessage(message));
  }

  #count(tunnel: RelayTunnel, change: number): void {
    this.#underWay.set(tunnel, (this.#underWay.get(tunnel) ?? 0) + change);
  }

  // What was prepared goes with its worker. As long as that one lives it forgets what is not used, so an error here costs memory only.
  #report({ lost }: RelayTunnel, answer: IncomingHttpHeaders | undefined): void {
    const status = answer?.['grpc-status'];
    if (status === '0') {
      return;
    }
    const reason = decodeGrpcMessage(String(answer?.['grpc-message'] ?? ''));
    this.#options.log[lost ? 'debug' : 'warn']({ status, reason, tunnelLost: lost }, 'prepared statement not closed by its worker');
  }
}
