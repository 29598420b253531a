import { StatusError } from '@jetbridge/proto/status-error';

/** What failed below HTTP, as an error that says what to do about it. Only `unavailable` is worth another attempt. */
export function explainTransportError(error: unknown, url: URL): StatusError {
  if (error instanceof StatusError) {
    return error;
  }
  const code = codeOf(error);
  const explained = explainNetwork(code, url) ?? explainCertificate(code, url);
  return new StatusError(explained.code, explained.message, { cause: error });
}

interface Explanation {
  readonly code: 'unavailable' | 'failed_precondition' | 'unauthenticated';
  readonly message: string;
}

function explainNetwork(code: string, { host, hostname }: URL): Explanation | undefined {
  switch (code) {
    case 'ECONNREFUSED':
      return {
        code: 'unavailable',
        message: `nothing answers at ${host}: check that the control-api runs there and that the control URL is right`,
      };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { code: 'unavailable', message: `the host name ${hostname} cannot be resolved: check the control URL and this machine's DNS` };
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return { code: 'unavailable', message: `${host} cannot be reached: check the network and the firewalls on the way` };
    default:
      return undefined;
  }
}

const UNTRUSTED = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'PATH_LENGTH_EXCEEDED',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
]);

function explainCertificate(code: string, { host }: URL): Explanation {
  if (code === 'CERT_NOT_YET_VALID' || code === 'CERT_HAS_EXPIRED') {
    const state = code === 'CERT_HAS_EXPIRED' ? 'expired' : 'not valid yet';
    return {
      code: 'failed_precondition',
      message: `the certificate of ${host} is ${state} by this machine's clock: check the clock here and on the control-api`,
    };
  }
  if (UNTRUSTED.has(code)) {
    return {
      code: 'unauthenticated',
      message: `${host} shows no certificate from the expected Jetbridge root: check the control URL, and that nothing intercepts TLS on the way`,
    };
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return {
      code: 'failed_precondition',
      message: `${host} does not speak TLS 1.3 as the control-api does (${code}): check host, port and https:// in the control URL`,
    };
  }
  return { code: 'unavailable', message: `the connection to ${host} failed (${code})` };
}

function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  // A name with several addresses fails with all their errors in one, and the first one's code on top.
  return code ?? 'no reason given';
}
