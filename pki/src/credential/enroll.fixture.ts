import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import type { EnrollRequest } from '@jetbridge/proto/enrollment';
import type { Test } from 'tap';
import { listen } from '../fixture.ts';
import { controlListenerOptions } from '../trust/tls.ts';
import type { Credential } from './credential.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface FakeControl {
  readonly url: string;
  /** Every request as `<method> <path> <body>`. */
  readonly requests: readonly string[];
}

export interface FakeControlOptions {
  readonly credential: Credential;
  readonly bundlePem: string;
  /** The answer to an enrollment; undefined cuts the connection. */
  readonly answer: (request: EnrollRequest) => Answer | undefined;
}

/** The enrollment part of a control-api behind a real listener. */
export async function serveEnrollment(t: Test, { credential, bundlePem, answer }: FakeControlOptions): Promise<FakeControl> {
  const requests: string[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request);
    requests.push(`${request.method} ${request.url} ${body}`);
    const reply = request.url === '/v1/enroll' ? answer(JSON.parse(body)) : { status: 200, body: { bundlePem, rootPins: [] } };
    if (reply === undefined) {
      response.destroy();
    } else {
      response.writeHead(reply.status, { 'content-type': 'application/json' }).end(JSON.stringify(reply.body));
    }
  };
  const server = createServer(
    controlListenerOptions(() => credential),
    (request, response) => void handle(request, response),
  );
  server.on('tlsClientError', () => undefined);
  return { url: `https://127.0.0.1:${await listen(t, server)}`, requests };
}
