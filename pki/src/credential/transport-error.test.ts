import { StatusError } from '@jetbridge/proto/status-error';
import t from 'tap';
import { explainTransportError } from './transport-error.ts';

const url = new URL('https://control.example:8443/v1/enroll');

function explain(code: string): StatusError {
  return explainTransportError(Object.assign(new Error('raw'), { code }), url);
}

for (const [code, status, message] of [
  ['ECONNREFUSED', 'unavailable', /nothing answers at control\.example:8443/],
  ['ENOTFOUND', 'unavailable', /control\.example cannot be resolved/],
  ['EAI_AGAIN', 'unavailable', /cannot be resolved/],
  ['ETIMEDOUT', 'unavailable', /firewalls/],
  ['ECONNRESET', 'unavailable', /ECONNRESET/],
  ['CERT_HAS_EXPIRED', 'failed_precondition', /expired by this machine's clock/],
  ['CERT_NOT_YET_VALID', 'failed_precondition', /not valid yet by this machine's clock/],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'unauthenticated', /no certificate from the expected Jetbridge root/],
  ['EPROTO', 'failed_precondition', /does not speak TLS 1\.3/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'failed_precondition', /does not speak TLS 1\.3/],
] as const) {
  t.test(`${code} is ${status}`, async (t) => {
    t.match(explain(code), { code: status, message });
  });
}

t.test('what is explained already stays, and an error without a code is still one sentence', async (t) => {
  const error = new StatusError('permission_denied', 'no');
  t.equal(explainTransportError(error, url), error);
  t.match(explainTransportError('thrown text', url), { code: 'unavailable', message: /failed \(no reason given\)/ });
});
