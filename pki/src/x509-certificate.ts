import { hash } from 'node:crypto';
import { CERTIFICATE_MAX_BYTES } from './limits.ts';
import {
  bitString,
  bytesOf,
  childrenOf,
  constructed,
  contextConstructed,
  contextPrimitive,
  type DerNode,
  decodeDer,
  encodeDer,
  malformed,
  oid,
  oidOf,
  primitive,
  sequence,
  TAG,
  tagOf,
  time,
} from './x509.ts';
import {
  type DistinguishedName,
  decodeDistinguishedName,
  decodeSubjectNames,
  encodeDistinguishedName,
  encodeSubjectNames,
  type SubjectName,
} from './x509-name.ts';
import { encodeSigned, signatureAlgorithm } from './x509-signed.ts';

const EXTENSION = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;

export type ExtendedKeyUsage = 'serverAuth' | 'clientAuth';

const EXTENDED_KEY_USAGES: Readonly<Record<ExtendedKeyUsage, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
};

// KeyUsage (RFC 5280, 4.2.1.3): digitalSignature is bit 0; keyCertSign and cRLSign are bits 5 and 6.
const LEAF_KEY_USAGE = { bits: 0x80, unusedBits: 7 };
const CA_KEY_USAGE = { bits: 0x06, unusedBits: 1 };

/** Everything a certificate of ours says. */
export interface CertificateContent {
  /** A positive integer of fixed width: the first octet is 0x40 to 0x7f. */
  readonly serial: Buffer;
  readonly issuer: DistinguishedName;
  readonly issuerSpki: Buffer;
  readonly subject: DistinguishedName;
  readonly subjectSpki: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly role: CertificateRole;
}

export type CertificateRole =
  | { readonly type: 'ca'; readonly pathLength?: number }
  | { readonly type: 'leaf'; readonly extendedKeyUsages: readonly ExtendedKeyUsage[]; readonly names: readonly SubjectName[] };

/** An X.509 v3 certificate (RFC 5280) in DER, signed over its TBSCertificate by `sign` with ecdsa-with-SHA256. */
export function encodeCertificate(content: CertificateContent, sign: (bytes: Buffer) => Buffer): Buffer {
  return encodeSigned(
    sequence(
      constructed(contextConstructed(0), primitive(TAG.integer, Buffer.of(2))),
      primitive(TAG.integer, content.serial),
      signatureAlgorithm(),
      encodeDistinguishedName(content.issuer),
      sequence(time(content.notBefore), time(content.notAfter)),
      encodeDistinguishedName(content.subject),
      decodeDer(content.subjectSpki, CERTIFICATE_MAX_BYTES),
      constructed(contextConstructed(3), sequence(...encodeExtensions(content))),
    ),
    sign,
  );
}

function encodeExtensions(content: CertificateContent): readonly DerNode[] {
  return [
    ...(content.role.type === 'ca' ? caExtensions(content.role.pathLength) : leafExtensions(content.role, content.subject.length === 0)),
    extension(EXTENSION.subjectKeyIdentifier, false, primitive(TAG.octetString, keyIdentifier(content.subjectSpki))),
    extension(EXTENSION.authorityKeyIdentifier, false, sequence(primitive(contextPrimitive(0), keyIdentifier(content.issuerSpki)))),
  ];
}

function caExtensions(pathLength: number | undefined): readonly DerNode[] {
  const isCa = primitive(TAG.boolean, Buffer.of(0xff));
  const limits = pathLength === undefined ? [isCa] : [isCa, primitive(TAG.integer, Buffer.of(pathLength))];
  return [
    extension(EXTENSION.basicConstraints, true, sequence(...limits)),
    extension(EXTENSION.keyUsage, true, bitString(Buffer.of(CA_KEY_USAGE.bits), CA_KEY_USAGE.unusedBits)),
  ];
}

function leafExtensions(role: CertificateRole & { type: 'leaf' }, emptySubject: boolean): readonly DerNode[] {
  const usages = role.extendedKeyUsages.map((usage) => oid(EXTENDED_KEY_USAGES[usage]));
  return [
    extension(EXTENSION.basicConstraints, true, sequence()),
    extension(EXTENSION.keyUsage, true, bitString(Buffer.of(LEAF_KEY_USAGE.bits), LEAF_KEY_USAGE.unusedBits)),
    ...(usages.length === 0 ? [] : [extension(EXTENSION.extendedKeyUsage, false, sequence(...usages))]),
    // RFC 5280, 4.2.1.6: critical when the subject is empty.
    extension(EXTENSION.subjectAltName, emptySubject, encodeSubjectNames(role.names)),
  ];
}

function extension(id: string, critical: boolean, value: DerNode): DerNode {
  const flag = critical ? [primitive(TAG.boolean, Buffer.of(0xff))] : [];
  return sequence(oid(id), ...flag, primitive(TAG.octetString, encodeDer(value)));
}

/** RFC 7093, method 1: the first 160 bits of SHA-256 over the public key's octets. */
export function keyIdentifier(spki: Buffer): Buffer {
  const [, key] = childrenOf(decodeDer(spki, CERTIFICATE_MAX_BYTES), TAG.sequence);
  return hash('sha256', bytesOf(key, TAG.bitString).subarray(1), 'buffer').subarray(0, 20);
}

/** What a verifier decides on; the rest (signatures, path, validity) OpenSSL has checked or node:crypto reads. */
export interface CertificateClaims {
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  readonly ca: boolean;
  /** Object identifiers, undefined without the extension. */
  readonly extendedKeyUsages: readonly string[] | undefined;
  readonly names: readonly SubjectName[];
}

export function extendedKeyUsageOid(usage: ExtendedKeyUsage): string {
  return EXTENDED_KEY_USAGES[usage];
}

/** Reads a certificate of our own profile; a shape we do not write, or an extension given twice, is refused. */
export function decodeCertificate(der: Buffer): CertificateClaims {
  const [body] = childrenOf(decodeDer(der, CERTIFICATE_MAX_BYTES), TAG.sequence);
  const [, , , issuer, , subject, , wrapper, ...others] = childrenOf(body, TAG.sequence);
  const [list] = childrenOf(wrapper, contextConstructed(3));
  if (others.length !== 0) {
    throw malformed('it holds fields that Jetbridge does not write');
  }
  const extensions = decodeExtensions(childrenOf(list, TAG.sequence));
  const names = extensions.get(EXTENSION.subjectAltName);
  const usages = extensions.get(EXTENSION.extendedKeyUsage);
  return {
    issuer: decodeDistinguishedName(issuer),
    subject: decodeDistinguishedName(subject),
    ca: childrenOf(extensions.get(EXTENSION.basicConstraints), TAG.sequence).length > 0,
    extendedKeyUsages: usages === undefined ? undefined : childrenOf(usages, TAG.sequence).map(oidOf),
    names: names === undefined ? [] : decodeSubjectNames(names),
  };
}

function decodeExtensions(nodes: readonly DerNode[]): ReadonlyMap<string, DerNode> {
  const extensions = new Map<string, DerNode>();
  for (const node of nodes) {
    const parts = childrenOf(node, TAG.sequence);
    const id = oidOf(parts[0]);
    const flagged = parts[1] !== undefined && tagOf(parts[1]) === TAG.boolean;
    if (extensions.has(id) || parts.length !== (flagged ? 3 : 2)) {
      throw malformed('it holds an extension twice, or a malformed one');
    }
    extensions.set(id, decodeDer(bytesOf(parts.at(-1), TAG.octetString), CERTIFICATE_MAX_BYTES));
  }
  return extensions;
}
