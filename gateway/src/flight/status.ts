import type { ServerHttp2Stream } from 'node:http2';
import { type StatusError, toStatusError } from '@jetbridge/proto/status-error';
import type { Logger } from 'pino';
import { answerWithStatus } from '../tunnel/relay-answer.ts';

/** Refuses a call that has not been answered yet. What went wrong inside stays in the log. */
export function refuse(stream: ServerHttp2Stream, thrown: unknown, log: Logger): StatusError {
  const error = toStatusError(thrown);
  if (error.code === 'internal' || error.cause !== undefined) {
    log.warn({ code: error.code, reason: error.message, err: error.cause }, 'call refused');
  }
  answerWithStatus(stream, error);
  return error;
}
