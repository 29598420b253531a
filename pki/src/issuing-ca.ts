import type { ServiceKind } from '@jetbridge/proto/identity';
import type { DistinguishedName } from './x509-name.ts';

/**
 * Which of the two issuing CAs a certificate comes from, and how a verifier knows.
 *
 * The mark is the issuing CA's subject: exactly `O=<trust domain>, OU=workers|services, CN=<any>`. It stands in the issuing certificate, which the root
 * signed, and again as the issuer of every leaf. A verified path proves it: path validation (RFC 5280, 6.1.3) demands that a leaf's issuer equals the
 * subject of the certificate whose key signed it, and both issuing CAs have pathLen 0, so only the root can make a CA with either name. A verifier
 * therefore needs nothing but the leaf and the roots: a CA of the same kind that replaces an old one, or a new root, changes only CN and keys.
 *
 * Not chosen: pinned fingerprints (every verifier would need a new one at each replacement), name constraints (they cannot tell the paths of URIs apart),
 * a private policy OID (needs a registered arc; the registration-free 128-bit arcs break verifiers with 32-bit OIDs).
 */
export type IssuingCa = 'workers' | 'services';

export function issuingCaOf(kind: ServiceKind): IssuingCa {
  return kind === 'worker' ? 'workers' : 'services';
}

/** The subject of an issuing CA; `label` tells apart CAs of one kind. */
export function issuingCaName(trustDomain: string, ca: IssuingCa, label: string): DistinguishedName {
  return [
    { type: 'O', value: trustDomain },
    { type: 'OU', value: ca },
    { type: 'CN', value: `Jetbridge ${ca} CA ${label}` },
  ];
}

/** True when the issuer of a leaf, taken from a verified path, is our issuing CA of this kind. */
export function isIssuingCaName(name: DistinguishedName, trustDomain: string, ca: IssuingCa): boolean {
  const [organization, unit, common, ...others] = name;
  return (
    organization?.type === 'O' &&
    organization.value === trustDomain &&
    unit?.type === 'OU' &&
    unit.value === ca &&
    common?.type === 'CN' &&
    others.length === 0
  );
}

/** The subject of a root; it carries the trust domain to a verifier that has nothing but the root. */
export function rootName(trustDomain: string, label: string): DistinguishedName {
  return [
    { type: 'O', value: trustDomain },
    { type: 'CN', value: `Jetbridge root CA ${label}` },
  ];
}

export function trustDomainOfRoot(name: DistinguishedName): string | undefined {
  const [organization, common, ...others] = name;
  return organization?.type === 'O' && common?.type === 'CN' && others.length === 0 ? organization.value : undefined;
}
