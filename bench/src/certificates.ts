import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openAuthority } from '@jetbridge/pki/authority/authority';
import { createCsr } from '@jetbridge/pki/credential/csr';
import { generateKeyPair } from '@jetbridge/pki/credential/keys';
import { newId } from '@jetbridge/proto/ids';

/** PEM files for a server on 127.0.0.1. */
export interface CertificateFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

const LIFETIME_MS = 24 * 3_600_000;

/** The peers' certificates are of the same kind as ours: same keys, same length of chain, so that no handshake is cheaper. */
export async function makeCertificates(directory: string): Promise<CertificateFiles> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const authority = await openAuthority({
    // A peer that is started anew asks for new ones.
    directory: await mkdtemp(join(directory, 'authority-')),
    kek: randomBytes(32),
    trustDomain: 'bench.internal',
    now: () => new Date(),
    randomBytes,
  });
  const { privateKeyPem } = generateKeyPair();
  const { certificateChainPem } = authority.issueService({
    csrPem: createCsr(privateKeyPem),
    kind: 'gateway',
    id: newId('gtw'),
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    lifetimeMs: LIFETIME_MS,
  });
  const files = {
    certificateFile: join(directory, 'certificate.pem'),
    keyFile: join(directory, 'key.pem'),
    caFile: join(directory, 'ca.pem'),
  };
  await Promise.all([
    writeFile(files.certificateFile, certificateChainPem),
    writeFile(files.keyFile, privateKeyPem, { mode: 0o600 }),
    writeFile(files.caFile, authority.bundlePem),
  ]);
  return files;
}
