import type { ServerHttp2Stream } from 'node:http2';
import { StatusError } from '@jetbridge/proto/status-error';
import { ClientAnswer } from '../tunnel/client-answer.ts';
import type { CarriedResult } from './carried-results.ts';

/** Answers a DoGet with messages that are here already. Resolves when the stream has closed: true if all of it was sent. */
export function answerCarried(client: ServerHttp2Stream, { bytes }: CarriedResult): Promise<boolean> {
  return new Promise((resolve) => {
    if (client.destroyed || client.closed) {
      resolve(false);
      return;
    }
    const answer = new ClientAnswer(client);
    client.once('close', () => resolve(answer.complete));
    answer.begin({ ':status': 200, 'content-type': 'application/grpc' });
    answer.end({ 'grpc-status': '0' }, bytes);
  });
}

/**
 * Waits for a result that is still arriving, for as long as the client does: rejects with `cancelled` or `deadline_exceeded` when that ends
 * first.
 */
export function arrived(
  arriving: Promise<CarriedResult | undefined>,
  client: ServerHttp2Stream,
  waitMs: number | undefined,
): Promise<CarriedResult | undefined> {
  return new Promise((resolve, reject) => {
    const onClose = (): void => settle(() => reject(new StatusError('cancelled', 'the client went away')));
    const expire = (): void =>
      settle(() => reject(new StatusError('deadline_exceeded', 'the call did not finish within the time the client allowed')));
    const deadline = waitMs === undefined ? undefined : setTimeout(expire, waitMs);
    const settle = (act: () => void): void => {
      clearTimeout(deadline);
      client.off('close', onClose);
      act();
    };
    client.once('close', onClose);
    if (client.destroyed) {
      onClose();
    }
    arriving.then(
      (result) => settle(() => resolve(result)),
      (thrown: unknown) => settle(() => reject(thrown)),
    );
  });
}
