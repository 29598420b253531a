import { isUtf8 } from 'node:buffer';
import { isIP, SocketAddress } from 'node:net';
import { StatusError } from '@jetbridge/proto/status-error';
import { DNS_NAME_MAX_CHARACTERS, NAME_ATTRIBUTE_MAX_CHARACTERS, SUBJECT_NAMES_MAX } from './limits.ts';
import {
  bytesOf,
  childrenOf,
  constructed,
  contextPrimitive,
  type DerNode,
  malformed,
  oid,
  oidOf,
  primitive,
  sequence,
  TAG,
  tagOf,
} from './x509.ts';

/** A distinguished name: attributes in order, one in each RDN. */
export type DistinguishedName = readonly NameAttribute[];

export interface NameAttribute {
  readonly type: NameAttributeType;
  readonly value: string;
}

export type NameAttributeType = 'O' | 'OU' | 'CN';

const ATTRIBUTE_OIDS: Readonly<Record<NameAttributeType, string>> = { O: '2.5.4.10', OU: '2.5.4.11', CN: '2.5.4.3' };

export function encodeDistinguishedName(name: DistinguishedName): DerNode {
  return sequence(...name.map(encodeAttribute));
}

function encodeAttribute({ type, value }: NameAttribute): DerNode {
  if (value.length === 0 || value.length > NAME_ATTRIBUTE_MAX_CHARACTERS) {
    throw new StatusError('invalid_argument', `a name in a certificate has 1 to ${NAME_ATTRIBUTE_MAX_CHARACTERS} characters`);
  }
  return constructed(TAG.set, sequence(oid(ATTRIBUTE_OIDS[type]), primitive(TAG.utf8String, Buffer.from(value, 'utf8'))));
}

/** Accepts only what `encodeDistinguishedName` writes. */
export function decodeDistinguishedName(node: DerNode | undefined): DistinguishedName {
  return childrenOf(node, TAG.sequence).map(decodeAttribute);
}

function decodeAttribute(rdn: DerNode): NameAttribute {
  const attributes = childrenOf(rdn, TAG.set);
  const [typeNode, valueNode, ...others] = childrenOf(attributes[0], TAG.sequence);
  const typeOid = oidOf(typeNode);
  const type = (Object.keys(ATTRIBUTE_OIDS) as NameAttributeType[]).find((candidate) => ATTRIBUTE_OIDS[candidate] === typeOid);
  if (type === undefined || attributes.length !== 1 || others.length !== 0) {
    throw malformed('it holds a name that Jetbridge does not write');
  }
  return { type, value: textOf(bytesOf(valueNode, TAG.utf8String)) };
}

/** A subject alternative name. */
export interface SubjectName {
  readonly type: 'uri' | 'dns' | 'ip';
  readonly value: string;
}

// GeneralName (RFC 5280, 4.2.1.6): dNSName [2], uniformResourceIdentifier [6], iPAddress [7].
const SUBJECT_NAME_TAGS = { dns: contextPrimitive(2), uri: contextPrimitive(6), ip: contextPrimitive(7) } as const;

/** The content of a subjectAltName extension. */
export function encodeSubjectNames(names: readonly SubjectName[]): DerNode {
  if (names.length === 0 || names.length > SUBJECT_NAMES_MAX) {
    throw new StatusError('invalid_argument', `a certificate has 1 to ${SUBJECT_NAMES_MAX} names`);
  }
  return sequence(
    ...names.map(({ type, value }) => primitive(SUBJECT_NAME_TAGS[type], type === 'ip' ? ipBytes(value) : Buffer.from(value, 'ascii'))),
  );
}

/** Names of any other type make the whole certificate unacceptable: nothing in a Jetbridge certificate goes unread. */
export function decodeSubjectNames(node: DerNode): readonly SubjectName[] {
  const nodes = childrenOf(node, TAG.sequence);
  if (nodes.length === 0 || nodes.length > SUBJECT_NAMES_MAX) {
    throw malformed('it holds no names, or too many');
  }
  return nodes.map(decodeSubjectName);
}

function decodeSubjectName(node: DerNode): SubjectName {
  switch (tagOf(node)) {
    case SUBJECT_NAME_TAGS.dns:
      return { type: 'dns', value: asciiOf(bytesOf(node, SUBJECT_NAME_TAGS.dns)) };
    case SUBJECT_NAME_TAGS.uri:
      return { type: 'uri', value: asciiOf(bytesOf(node, SUBJECT_NAME_TAGS.uri)) };
    case SUBJECT_NAME_TAGS.ip:
      return { type: 'ip', value: bytesOf(node, SUBJECT_NAME_TAGS.ip).toString('hex') };
    default:
      throw malformed('it holds a name of a type that Jetbridge does not write');
  }
}

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * A host name for a certificate: lower-case LDH labels. No wildcard (it would speak for hosts nobody approved), no Punycode (it reads as other
 * characters than it has), no trailing dot, and nothing that a client could take for an IP address.
 */
export function requireDnsName(name: string): string {
  const labels = name.split('.');
  const valid =
    name.length <= DNS_NAME_MAX_CHARACTERS &&
    labels.every((label) => DNS_LABEL.test(label) && !label.startsWith('xn--')) &&
    !/^\d+$/.test(labels.at(-1) ?? '');
  if (!valid) {
    throw new StatusError(
      'invalid_argument',
      'a DNS name in a certificate must be lower-case letters, digits, inner hyphens and dots; no wildcard, no "xn--", no trailing dot',
    );
  }
  return name;
}

/** An IPv4 or IPv6 address without a zone. */
export function requireIpAddress(address: string): string {
  if (isIP(address) === 0 || address.includes('%')) {
    throw new StatusError('invalid_argument', 'an IP address in a certificate must be a plain IPv4 or IPv6 address');
  }
  return address;
}

function ipBytes(address: string): Buffer {
  if (isIP(requireIpAddress(address)) === 4) {
    return Buffer.from(address.split('.').map(Number));
  }
  // SocketAddress writes the canonical form (RFC 5952): hexadecimal groups, one "::", an embedded IPv4 address only in some prefixes.
  const [head = '', tail] = withoutEmbeddedIpv4(new SocketAddress({ address, family: 'ipv6' }).address).split('::');
  const left = groupsOf(head);
  const right = groupsOf(tail ?? '');
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function withoutEmbeddedIpv4(address: string): string {
  return address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  );
}

function groupsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(':');
}

function textOf(bytes: Buffer): string {
  if (!isUtf8(bytes)) {
    throw malformed('it holds text that is not UTF-8');
  }
  return bytes.toString('utf8');
}

/** Printable ASCII only: a NUL or a line end in a name has fooled many a verifier. */
function asciiOf(bytes: Buffer): string {
  if (!bytes.every((byte) => byte > 0x20 && byte < 0x7f)) {
    throw malformed('it holds a name with characters that do not belong there');
  }
  return bytes.toString('latin1');
}
