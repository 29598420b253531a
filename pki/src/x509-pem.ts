import { malformed } from './x509.ts';

export type PemLabel = 'CERTIFICATE' | 'CERTIFICATE REQUEST';

/** PEM (RFC 7468), lines of 64 characters. */
export function encodePem(label: PemLabel, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/**
 * Every block of a PEM text in which there is nothing else: no other labels, no headers, no text around the blocks, no second spelling of the same
 * bytes. At least one block, at most `maxBlocks` of `maxBytes` each.
 */
export function decodePem(label: PemLabel, text: string, maxBlocks: number, maxBytes: number): readonly Buffer[] {
  // Base64 takes 4/3, line ends at most as much again (2 per 64), the boundaries 70 characters.
  if (text.length > maxBlocks * (maxBytes * 2 + 128)) {
    throw malformed('it is too long');
  }
  const parts = text.trim().split(`-----BEGIN ${label}-----`);
  if (parts[0] !== '' || parts.length < 2) {
    throw malformed(`it is not PEM with the label ${label}`);
  }
  if (parts.length - 1 > maxBlocks) {
    throw malformed(`it holds more than ${maxBlocks} PEM block${maxBlocks === 1 ? '' : 's'}`);
  }
  return parts.slice(1).map((part) => decodeBody(part, `-----END ${label}-----`, maxBytes));
}

function decodeBody(part: string, end: string, maxBytes: number): Buffer {
  const block = part.trim();
  if (!block.endsWith(end)) {
    throw malformed('its PEM has no end, or text after it');
  }
  const base64 = block.slice(0, -end.length).replace(/\r?\n/g, '');
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== base64) {
    throw malformed('its PEM is not base64');
  }
  if (bytes.length > maxBytes) {
    throw malformed(`it is longer than ${maxBytes} bytes`);
  }
  return bytes;
}
