import { StatusError } from '@jetbridge/proto/status-error';

export function malformed(detail: string): StatusError {
  return new StatusError('invalid_argument', `The uploaded Arrow data is malformed: ${detail}`);
}

export function tooLarge(bound: string): StatusError {
  return new StatusError('resource_exhausted', `One batch of an ingest may have ${bound}; send smaller batches`);
}
