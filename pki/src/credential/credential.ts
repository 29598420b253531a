import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type Identity, parseIdentityUri } from '@jetbridge/proto/identity';
import { StatusError } from '@jetbridge/proto/status-error';
import { CERTIFICATE_MAX_BYTES, CERTIFICATES_IN_PEM_MAX } from '../limits.ts';
import { decodeCertificate } from '../x509-certificate.ts';
import { decodePem } from '../x509-pem.ts';

/** What a process shows and what it believes: its private key, its certificate chain, its roots. */
export interface Credential {
  readonly identity: Identity;
  readonly privateKeyPem: string;
  /** Leaf, then issuing certificate. */
  readonly certificateChainPem: string;
  /** Roots; several while one replaces another. */
  readonly bundlePem: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Lower-case hex. */
  readonly serialHex: string;
}

/** Asked again at each use, so that a renewed credential is taken up without a restart. */
export type CredentialSource = () => Credential;

export interface CredentialParts {
  readonly privateKeyPem: string;
  readonly certificateChainPem: string;
  readonly bundlePem: string;
}

/** Puts a credential together. Throws when the parts do not belong together: key and leaf, leaf and issuer, issuer and one of the roots. */
export function credentialOf({ privateKeyPem, certificateChainPem, bundlePem }: CredentialParts): Credential {
  const chain = certificatesOf(certificateChainPem);
  const roots = certificatesOf(bundlePem);
  const [leaf, issuing] = chain;
  if (leaf === undefined || issuing === undefined || chain.length !== 2) {
    throw incoherent('the chain must be a leaf and its issuing certificate');
  }
  if (!leaf.checkPrivateKey(createPrivateKey(privateKeyPem))) {
    throw incoherent('the certificate is for another key');
  }
  if (!isIssuedBy(leaf, issuing) || !roots.some((root) => isIssuedBy(issuing, root))) {
    throw incoherent('the certificate does not lead to one of the roots');
  }
  return {
    identity: identityOf(leaf),
    privateKeyPem,
    certificateChainPem,
    bundlePem,
    notBefore: leaf.validFromDate,
    notAfter: leaf.validToDate,
    serialHex: leaf.serialNumber.toLowerCase(),
  };
}

/** The certificates in a PEM text. */
export function certificatesOf(pem: string): readonly X509Certificate[] {
  return decodePem('CERTIFICATE', pem, CERTIFICATES_IN_PEM_MAX, CERTIFICATE_MAX_BYTES).map((der) => {
    try {
      return new X509Certificate(der);
    } catch (cause) {
      throw incoherent('a certificate cannot be read', cause);
    }
  });
}

function identityOf(leaf: X509Certificate): Identity {
  const uris = decodeCertificate(leaf.raw).names.filter((name) => name.type === 'uri');
  if (uris.length !== 1 || uris[0] === undefined) {
    throw incoherent('the certificate must hold exactly one identity URI');
  }
  return parseIdentityUri(uris[0].value);
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function incoherent(reason: string, cause?: unknown): StatusError {
  return new StatusError('failed_precondition', `the credential is not usable: ${reason}`, { cause });
}
