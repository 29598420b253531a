import { hash } from 'node:crypto';
import { identityUri, isTrustDomain, type ServiceKind } from '@jetbridge/proto/identity';
import { StatusError } from '@jetbridge/proto/status-error';
import { type IssuingCa, isIssuingCaName, issuingCaName, rootName, trustDomainOfRoot } from '../issuing-ca.ts';
import {
  BACKDATE_MS,
  ISSUING_CA_LIFETIME_MS,
  LEAF_LIFETIME_MIN_MS,
  NAME_ATTRIBUTE_MAX_CHARACTERS,
  ROOT_LIFETIME_MS,
  SERIAL_BYTES,
  SERVICE_LIFETIME_MAX_MS,
  WORKER_LIFETIME_MAX_MS,
} from '../limits.ts';
import { requirePrivateDirectory } from '../private-file.ts';
import { type CertificateContent, type CertificateRole, encodeCertificate, keyIdentifier } from '../x509-certificate.ts';
import { decodeCsr } from '../x509-csr.ts';
import { type DistinguishedName, requireDnsName, requireIpAddress } from '../x509-name.ts';
import { encodePem } from '../x509-pem.ts';
import { type Ca, openCa } from './ca.ts';
import type { Signer } from './signer.ts';

/** The one place where certificates are signed. Only the control-api holds one. */
export interface Authority {
  /** Lower-case hex SHA-256 of the root's SubjectPublicKeyInfo: what an enrollment token pins. */
  readonly rootPin: string;
  /** Every root a peer should trust; one now, several during a roll-over. */
  readonly bundlePem: string;
  readonly trustDomain: string;
  /** A client certificate for a worker. Throws `invalid_argument` for a bad CSR. */
  issueWorker(request: WorkerRequest): Issued;
  /** A server and client certificate for a gateway or the control-api. Throws `invalid_argument` for a bad CSR or name. */
  issueService(request: ServiceRequest): Issued;
}

export interface WorkerRequest {
  readonly csrPem: string;
  readonly workerId: string;
  readonly lifetimeMs: number;
}

export interface ServiceRequest {
  readonly csrPem: string;
  readonly kind: Exclude<ServiceKind, 'worker'>;
  readonly id: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly lifetimeMs: number;
}

export interface Issued {
  /** Leaf, then issuing certificate. */
  readonly certificateChainPem: string;
  readonly serialHex: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** When the holder should ask for the next one: at 50 to 67 % of its life, different for each so that a fleet does not come at once. */
  readonly renewAfter: Date;
  /** Lower-case hex SHA-256 of the leaf's SubjectPublicKeyInfo. */
  readonly publicKeySha256: string;
}

export interface AuthorityOptions {
  /** Created with mode 0700; holds the sealed keys and the CA certificates. */
  readonly directory: string;
  /** Key encryption key, 32 bytes; kept apart from the directory's backups. */
  readonly kek: Buffer;
  readonly trustDomain: string;
  readonly now: () => Date;
  readonly randomBytes: (size: number) => Buffer;
}

/** Opens the authority in a directory; on first use makes the root and the two issuing CAs. */
export async function openAuthority(options: AuthorityOptions): Promise<Authority> {
  const { directory, trustDomain } = options;
  if (!isTrustDomain(trustDomain) || trustDomain.length > NAME_ATTRIBUTE_MAX_CHARACTERS) {
    throw new StatusError(
      'invalid_argument',
      `the trust domain must be a lower-case DNS name of at most ${NAME_ATTRIBUTE_MAX_CHARACTERS} characters`,
    );
  }
  await requirePrivateDirectory(directory);
  const root = await openRoot(options);
  const issuing = { workers: await openIssuing(options, root, 'workers'), services: await openIssuing(options, root, 'services') };
  return {
    rootPin: sha256Hex(root.signer.publicKeySpki),
    bundlePem: root.certificatePem,
    trustDomain,
    issueWorker: ({ csrPem, workerId, lifetimeMs }) =>
      issueLeaf(options, issuing.workers, csrPem, requireLifetime(lifetimeMs, WORKER_LIFETIME_MAX_MS), [], {
        type: 'leaf',
        extendedKeyUsages: ['clientAuth'],
        names: [{ type: 'uri', value: identityUri({ trustDomain, kind: 'worker', id: workerId }) }],
      }),
    issueService: (request) =>
      issueLeaf(
        options,
        issuing.services,
        request.csrPem,
        requireLifetime(request.lifetimeMs, SERVICE_LIFETIME_MAX_MS),
        [{ type: 'CN', value: request.id }],
        serviceRole(trustDomain, request),
      ),
  };
}

function serviceRole(trustDomain: string, { kind, id, dnsNames, ipAddresses }: ServiceRequest): CertificateRole {
  return {
    type: 'leaf',
    extendedKeyUsages: ['serverAuth', 'clientAuth'],
    names: [
      { type: 'uri', value: identityUri({ trustDomain, kind, id }) },
      ...dnsNames.map((name) => ({ type: 'dns', value: requireDnsName(name) }) as const),
      ...ipAddresses.map((address) => ({ type: 'ip', value: requireIpAddress(address) }) as const),
    ],
  };
}

async function openRoot(options: AuthorityOptions): Promise<Ca> {
  const root = await openCa({
    ...options,
    name: 'root',
    purpose: 'jetbridge/root',
    issuer: undefined,
    certify: (signer) => {
      const name = rootName(options.trustDomain, labelOf(signer));
      return certify(
        options,
        signer,
        { issuer: name, issuerSpki: signer.publicKeySpki, subject: name, subjectSpki: signer.publicKeySpki, role: { type: 'ca' } },
        ROOT_LIFETIME_MS,
      );
    },
  });
  const founded = trustDomainOfRoot(root.name);
  if (founded !== options.trustDomain) {
    throw new StatusError(
      'failed_precondition',
      `${options.directory} belongs to the trust domain ${founded}; set JETBRIDGE_TRUST_DOMAIN to it or use another data directory`,
    );
  }
  return root;
}

async function openIssuing(options: AuthorityOptions, root: Ca, kind: IssuingCa): Promise<Ca> {
  const ca = await openCa({
    ...options,
    name: `${kind}-ca`,
    purpose: `jetbridge/${kind}-ca`,
    issuer: root,
    certify: (signer) =>
      certify(
        options,
        root.signer,
        {
          issuer: root.name,
          issuerSpki: root.signer.publicKeySpki,
          subject: issuingCaName(options.trustDomain, kind, labelOf(signer)),
          subjectSpki: signer.publicKeySpki,
          role: { type: 'ca', pathLength: 0 },
        },
        ISSUING_CA_LIFETIME_MS,
      ),
  });
  if (!isIssuingCaName(ca.name, options.trustDomain, kind)) {
    throw new StatusError(
      'data_loss',
      `the certificate of the ${kind} CA in ${options.directory} is not of that CA; restore it from a backup`,
    );
  }
  return ca;
}

function certify(
  options: AuthorityOptions,
  signer: Signer,
  content: Omit<CertificateContent, 'serial' | 'notBefore' | 'notAfter'>,
  lifetimeMs: number,
): Buffer {
  const now = options.now().getTime();
  return encodeCertificate(
    {
      ...content,
      serial: newSerial(options.randomBytes),
      notBefore: wholeSeconds(now - BACKDATE_MS),
      notAfter: wholeSeconds(now + lifetimeMs),
    },
    (bytes) => signer.sign(bytes),
  );
}

function issueLeaf(
  options: AuthorityOptions,
  ca: Ca,
  csrPem: string,
  lifetimeMs: number,
  subject: DistinguishedName,
  role: CertificateRole,
): Issued {
  const subjectSpki = decodeCsr(csrPem);
  const now = options.now().getTime();
  if (now >= ca.notAfter.getTime()) {
    throw new StatusError(
      'failed_precondition',
      `the issuing CA expired on ${ca.notAfter.toISOString()}; it must be replaced before certificates can be issued`,
    );
  }
  const serial = newSerial(options.randomBytes);
  const notBefore = wholeSeconds(now - BACKDATE_MS);
  // A leaf that outlived its issuer would fail at a moment nobody expects.
  const notAfter = wholeSeconds(Math.min(now + lifetimeMs, ca.notAfter.getTime()));
  const der = encodeCertificate(
    { serial, issuer: ca.name, issuerSpki: ca.signer.publicKeySpki, subject, subjectSpki, notBefore, notAfter, role },
    (bytes) => ca.signer.sign(bytes),
  );
  return {
    certificateChainPem: encodePem('CERTIFICATE', der) + ca.certificatePem,
    serialHex: serial.toString('hex'),
    notBefore,
    notAfter,
    renewAfter: renewalTime(now, notAfter.getTime(), options.randomBytes),
    publicKeySha256: sha256Hex(subjectSpki),
  };
}

function renewalTime(fromMs: number, notAfterMs: number, randomBytes: (size: number) => Buffer): Date {
  const fraction = 0.5 + (0.17 * randomBytes(2).readUInt16BE()) / 0x1_0000;
  return wholeSeconds(fromMs + (notAfterMs - fromMs) * fraction);
}

/** 126 random bits in the one width that is positive and minimal in DER: the two top bits are 01. */
function newSerial(randomBytes: (size: number) => Buffer): Buffer {
  const serial = Buffer.from(randomBytes(SERIAL_BYTES));
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return serial;
}

/** Certificates have no fractions of seconds. */
function wholeSeconds(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}

function requireLifetime(lifetimeMs: number, maxMs: number): number {
  if (!(lifetimeMs >= LEAF_LIFETIME_MIN_MS && lifetimeMs <= maxMs)) {
    throw new StatusError(
      'invalid_argument',
      `the lifetime of this certificate must be ${LEAF_LIFETIME_MIN_MS / 60_000} minute to ${maxMs / 3_600_000} hours`,
    );
  }
  return lifetimeMs;
}

function labelOf(signer: Signer): string {
  return keyIdentifier(signer.publicKeySpki).toString('hex').slice(0, 8);
}

function sha256Hex(bytes: Buffer): string {
  return hash('sha256', bytes, 'hex');
}
