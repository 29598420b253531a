import { isId } from './ids.ts';
import { StatusError } from './status-error.ts';

export type ServiceKind = 'worker' | 'gateway' | 'control-api';

/** Who a certificate speaks for. The one URI SAN of a leaf certificate holds it. */
export interface Identity {
  readonly trustDomain: string;
  readonly kind: ServiceKind;
  readonly id: string;
}

// SPIFFE ID specification: a trust domain has at most 255 characters out of lower-case letters, digits, '.', '-' and '_'.
const TRUST_DOMAIN = /^(?!\.)(?!.*\.\.)[a-z0-9._-]{1,255}(?<!\.)$/;
const URI_MAX_CHARACTERS = 2048;
const URI = /^spiffe:\/\/([^/]+)\/(worker|gateway|control-api)\/([a-z0-9_-]{1,64})$/;

export function isTrustDomain(value: string): boolean {
  return TRUST_DOMAIN.test(value);
}

/** `spiffe://<trustDomain>/<kind>/<id>`; the inverse of `parseIdentityUri`. */
export function identityUri(identity: Identity): string {
  const uri = `spiffe://${identity.trustDomain}/${identity.kind}/${identity.id}`;
  parseIdentityUri(uri);
  return uri;
}

/** Accepts only what `identityUri` writes: no upper case, no escapes, no query, no port, no other path. */
export function parseIdentityUri(uri: string): Identity {
  const match = uri.length <= URI_MAX_CHARACTERS ? URI.exec(uri) : null;
  const [, trustDomain, kind, id] = match ?? [];
  if (trustDomain === undefined || kind === undefined || id === undefined || !isTrustDomain(trustDomain)) {
    throw new StatusError('invalid_argument', 'this is not a Jetbridge identity URI (spiffe://<trust domain>/<kind>/<id>)');
  }
  if (!isIdOfKind(kind as ServiceKind, id)) {
    throw new StatusError('invalid_argument', `the id in the identity URI is not the id of a ${kind}`);
  }
  return { trustDomain, kind: kind as ServiceKind, id };
}

// The control-api has one identity for all its processes and names it as it likes; workers and gateways are told apart by id.
function isIdOfKind(kind: ServiceKind, id: string): boolean {
  switch (kind) {
    case 'worker':
      return isId('wkr', id);
    case 'gateway':
      return isId('gtw', id);
    case 'control-api':
      return /^[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?$/.test(id);
  }
}
