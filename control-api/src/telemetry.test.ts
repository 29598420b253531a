import { Writable } from 'node:stream';
import { StatusError } from '@jetbridge/proto/status-error';
import t from 'tap';
import { createLogger } from './telemetry.ts';

t.test('secrets stay out of the log, reasons get in', (t) => {
  const lines: string[] = [];
  const logger = createLogger(
    'info',
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        lines.push(chunk.toString());
        done();
      },
    }),
  );
  const cause = Object.assign(new Error('connect failed'), {
    code: 'ECONNREFUSED',
    client: { password: 'geheim' },
    detail: 'Key (hash)=(geheim)',
  });
  logger.error(
    { err: new StatusError('unavailable', 'the database is away', { cause }), token: 'geheim', body: { password: 'geheim' } },
    'request failed',
  );
  t.notMatch(lines.join(), /geheim/);
  t.match(JSON.parse(lines.join()), {
    msg: 'request failed',
    err: { type: 'StatusError', code: 'unavailable', message: 'the database is away', cause: { code: 'ECONNREFUSED' } },
    token: '[redacted]',
  });
  t.end();
});
