import type { OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { StatusError } from '@jetbridge/proto/status-error';
import { statusTrailers } from '@jetbridge/proto/status-grpc';
import { finishRequest } from './finish-request.ts';
import { answerTrailersOnly, answerWithStatus, resetCodeOf } from './relay-answer.ts';

/** How much of an answer a client has been sent; headers alone count as whole messages. */
export type Sent = 'nothing' | 'whole messages' | 'part of a message';

/** What one client is answered: headers, messages and trailers, in that order and each once. */
export class ClientAnswer {
  readonly #client: ServerHttp2Stream;
  #trailers: OutgoingHttpHeaders | undefined;
  #complete = false;

  constructor(client: ServerHttp2Stream) {
    this.#client = client;
    client.once('wantTrailers', () => this.#sendTrailers());
  }

  /** True once the status has been sent. */
  get complete(): boolean {
    return this.#complete;
  }

  begin(headers: OutgoingHttpHeaders): void {
    this.#client.respond(headers, { waitForTrailers: true });
  }

  end(trailers: OutgoingHttpHeaders, bytes?: Buffer): void {
    this.#trailers = trailers;
    this.#client.end(bytes);
  }

  /** Instead of everything else. */
  trailersOnly(headers: OutgoingHttpHeaders): void {
    this.#complete = true;
    answerTrailersOnly(this.#client, headers);
  }

  /** Within a message a status would be read as its end. */
  fail(error: StatusError, sent: Sent): void {
    switch (sent) {
      case 'nothing':
        answerWithStatus(this.#client, error);
        break;
      case 'whole messages':
        this.end({ ...statusTrailers(error) });
        break;
      case 'part of a message':
        this.#client.close(resetCodeOf(error.code));
        break;
    }
  }

  #sendTrailers(): void {
    if (this.#trailers !== undefined && !this.#client.closed) {
      this.#client.sendTrailers(this.#trailers);
      this.#complete = true;
      finishRequest(this.#client);
    }
  }
}

/**
 * Success without a message. With headers and trailers of their own: Trailers-Only is meant for errors, and some proxies before a gateway take
 * it for an answer that was cut.
 */
export function answerWithoutMessage(client: ServerHttp2Stream): void {
  if (!client.destroyed && !client.closed) {
    const answer = new ClientAnswer(client);
    answer.begin({ ':status': 200, 'content-type': 'application/grpc' });
    answer.end({ 'grpc-status': '0' });
  }
}
