import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { StatusError } from '@jetbridge/proto/status-error';
import { CERTIFICATE_MAX_BYTES } from '../limits.ts';
import { createPrivateFile, readPrivateFile } from '../private-file.ts';
import { decodeCertificate } from '../x509-certificate.ts';
import type { DistinguishedName } from '../x509-name.ts';
import { decodePem, encodePem } from '../x509-pem.ts';
import { createFileSigner, openFileSigner } from './file-signer.ts';
import type { Signer } from './signer.ts';

/** One CA: its key and its certificate. */
export interface Ca {
  readonly signer: Signer;
  readonly name: DistinguishedName;
  readonly certificatePem: string;
  readonly notAfter: Date;
}

/** Where a CA is kept and how it is made when it is not there yet. */
export interface CaFiles {
  readonly directory: string;
  /** Base name of `<name>.key` (sealed) and `<name>.pem`. */
  readonly name: string;
  readonly kek: Buffer;
  readonly purpose: string;
  readonly randomBytes: (size: number) => Buffer;
  /** Makes the certificate for a key (DER). */
  readonly certify: (signer: Signer) => Buffer;
  /** Undefined for a root, which signs itself. */
  readonly issuer: Ca | undefined;
}

/**
 * Opens a CA, making what is missing. The key is written before the certificate: after a crash in between, the next start certifies the same key.
 * A certificate without its key is never replaced, since that would silently cut off everybody who trusts it.
 */
export async function openCa(files: CaFiles): Promise<Ca> {
  const keyPath = join(files.directory, `${files.name}.key`);
  const certificatePath = join(files.directory, `${files.name}.pem`);
  const sealed = { path: keyPath, kek: files.kek, purpose: files.purpose };
  const stored = await readPrivateFile(certificatePath, CERTIFICATE_MAX_BYTES * 2);
  const opened = await openFileSigner(sealed);
  if (opened === undefined && stored !== undefined) {
    throw new StatusError('data_loss', `${keyPath} is missing while ${certificatePath} exists; restore it from a backup`);
  }
  const signer = opened ?? (await createFileSigner({ ...sealed, randomBytes: files.randomBytes }));
  if (stored !== undefined) {
    return caOf(stored.toString('utf8'), signer, files.issuer, certificatePath);
  }
  const certificatePem = encodePem('CERTIFICATE', files.certify(signer));
  await createPrivateFile(certificatePath, Buffer.from(certificatePem));
  return caOf(certificatePem, signer, files.issuer, certificatePath);
}

/** A stored certificate is believed only when it is for this key and signed by the CA above it. */
function caOf(pem: string, signer: Signer, issuer: Ca | undefined, path: string): Ca {
  const [der = Buffer.alloc(0)] = decodePem('CERTIFICATE', pem, 1, CERTIFICATE_MAX_BYTES);
  const certificate = new X509Certificate(der);
  const issuerKey = issuer === undefined ? certificate.publicKey : new X509Certificate(issuer.certificatePem).publicKey;
  const spki = certificate.publicKey.export({ format: 'der', type: 'spki' });
  if (!certificate.ca || !spki.equals(signer.publicKeySpki) || !certificate.verify(issuerKey)) {
    throw new StatusError('data_loss', `${path} is not the certificate of the key beside it; restore both from one backup`);
  }
  return { signer, name: decodeCertificate(der).subject, certificatePem: encodePem('CERTIFICATE', der), notAfter: certificate.validToDate };
}
