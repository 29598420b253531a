import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { StatusError } from '@jetbridge/proto/status-error';
import { CommandError } from '../usage.ts';

export interface FlightAddress {
  /** `grpc+tls://host:port`; `grpc://` without TLS. */
  readonly uri: string;
  /** Root certificates in PEM; undefined trusts what the runtime trusts. */
  readonly caPem: string | undefined;
}

/** grpc-js reports a failed connection in words of its own; say what was tried and what may help. */
export function describeTransport(uri: string, error: StatusError): StatusError {
  const failed = /^No connection established\. Last error: (.*?)(?:\. Resolution note:.*)?$/s.exec(error.message)?.[1];
  if (error.code !== 'unavailable' || failed === undefined) {
    return error;
  }
  return new StatusError('unavailable', `cannot connect to ${uri}: ${failed.replace(/^Error: /, '')}${hintFor(failed)}`, { cause: error });
}

function hintFor(failure: string): string {
  if (/self.signed|unable to (?:get|verify)|UNABLE_TO/i.test(failure)) {
    return '; give the CA certificate with --ca FILE';
  }
  return /refused/i.test(failure) ? '; is the gateway running?' : '';
}

/** How to reach the address: the target for grpc-js and the credentials that its scheme asks for. */
export function channelOf({ uri, caPem }: FlightAddress): { readonly target: string; readonly credentials: ChannelCredentials } {
  const { target, secure } = parseFlightUri(uri);
  const tls = (): ChannelCredentials => credentials.createSsl(caPem === undefined ? null : Buffer.from(caPem));
  return { target, credentials: secure ? tls() : credentials.createInsecure() };
}

export function parseFlightUri(uri: string): { readonly target: string; readonly secure: boolean } {
  const [, scheme, target] = /^(grpc\+tls|grpcs|grpc\+tcp|grpc):\/\/((?:\[[0-9a-fA-F:.]+\]|[^/:?#@[\]]+):\d{1,5})\/?$/.exec(uri) ?? [];
  if (scheme === undefined || target === undefined) {
    throw new CommandError(`'${uri}' is not the address of a Flight SQL endpoint; it looks like grpc+tls://HOST:PORT`);
  }
  return { target: `dns:${target}`, secure: scheme === 'grpc+tls' || scheme === 'grpcs' };
}
