/**
 * DER (X.690), writing and strict reading. This is the only file that touches node-forge, and it loads nothing of it but ASN.1: keys, signatures and
 * verification are node:crypto's.
 */

import { StatusError } from '@jetbridge/proto/status-error';
import type forge from 'node-forge';
import asn1 from 'node-forge/lib/asn1.js';
import { DER_DEPTH_MAX } from './limits.ts';

/** One ASN.1 value. Only this file looks inside. */
export type DerNode = forge.asn1.Asn1;

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** The tag byte of `[number] IMPLICIT` over a primitive type. */
export function contextPrimitive(number: number): number {
  return 0x80 | number;
}

/** The tag byte of `[number] EXPLICIT`, or of `[number] IMPLICIT` over a constructed type. */
export function contextConstructed(number: number): number {
  return 0xa0 | number;
}

export function constructed(tag: number, ...children: readonly DerNode[]): DerNode {
  return asn1.create(tag & 0xc0, tag & 0x1f, true, [...children]);
}

export function primitive(tag: number, bytes: Uint8Array): DerNode {
  return asn1.create(tag & 0xc0, tag & 0x1f, false, Buffer.from(bytes).toString('latin1'));
}

export function sequence(...children: readonly DerNode[]): DerNode {
  return constructed(TAG.sequence, ...children);
}

export function oid(dotted: string): DerNode {
  return primitive(TAG.oid, Buffer.from(asn1.oidToDer(dotted).getBytes(), 'latin1'));
}

export function bitString(bytes: Uint8Array, unusedBits = 0): DerNode {
  return primitive(TAG.bitString, Buffer.concat([Buffer.of(unusedBits), bytes]));
}

/** UTCTime through 2049, GeneralizedTime after (RFC 5280, 4.1.2.5). Fractions of a second are cut off. */
export function time(date: Date): DerNode {
  const digits = date
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
  return date.getUTCFullYear() < 2050
    ? primitive(TAG.utcTime, Buffer.from(digits.slice(2)))
    : primitive(TAG.generalizedTime, Buffer.from(digits));
}

export function encodeDer(node: DerNode): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
}

/**
 * Reads exactly one DER value that fills the bytes. The library accepts some BER (long lengths, indefinite lengths, padded integers); writing the
 * value again and comparing leaves one encoding of each value. Size and depth are bounded before anything is built.
 */
export function decodeDer(bytes: Buffer, maxBytes: number): DerNode {
  if (bytes.length > maxBytes) {
    throw malformed(`it is longer than ${maxBytes} bytes`);
  }
  let node: DerNode;
  try {
    node = asn1.fromDer(bytes.toString('latin1'), { strict: true, parseAllBytes: true, decodeBitStrings: false, maxDepth: DER_DEPTH_MAX });
  } catch (cause) {
    throw malformed('its ASN.1 cannot be read', cause);
  }
  if (!encodeDer(node).equals(bytes)) {
    throw malformed('it is not in DER');
  }
  return node;
}

export function tagOf(node: DerNode): number {
  return node.tagClass | node.type | (node.constructed ? 0x20 : 0);
}

/** The children of a constructed value with this tag. */
export function childrenOf(node: DerNode | undefined, tag: number): readonly DerNode[] {
  if (node === undefined || tagOf(node) !== tag || !Array.isArray(node.value)) {
    throw malformed('it does not have the expected shape');
  }
  return node.value;
}

/** The content of a primitive value with this tag. */
export function bytesOf(node: DerNode | undefined, tag: number): Buffer {
  if (node === undefined || tagOf(node) !== tag || typeof node.value !== 'string') {
    throw malformed('it does not have the expected shape');
  }
  return Buffer.from(node.value, 'latin1');
}

export function oidOf(node: DerNode | undefined): string {
  const bytes = bytesOf(node, TAG.oid);
  try {
    const dotted = asn1.derToOid(bytes.toString('latin1'));
    // Padded or cut-off subidentifiers would give one OID two spellings.
    if (bytesOf(oid(dotted), TAG.oid).equals(bytes)) {
      return dotted;
    }
  } catch (cause) {
    throw malformed('it holds an object identifier that is empty or too large', cause);
  }
  throw malformed('it holds a malformed object identifier');
}

/** The content of a BIT STRING of whole octets. */
export function octetsOfBitString(node: DerNode | undefined): Buffer {
  const bytes = bytesOf(node, TAG.bitString);
  if (bytes[0] !== 0) {
    throw malformed('it holds a bit string of broken octets');
  }
  return bytes.subarray(1);
}

export function malformed(reason: string, cause?: unknown): StatusError {
  return new StatusError('invalid_argument', `the certificate or certificate request is malformed: ${reason}`, { cause });
}
