import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Authority, openAuthority } from '@jetbridge/pki/authority/authority';
import { type Credential, credentialOf } from '@jetbridge/pki/credential/credential';
import { createCsr } from '@jetbridge/pki/credential/csr';
import { generateKeyPair } from '@jetbridge/pki/credential/keys';
import { newId } from '@jetbridge/proto/ids';

const LIFETIME_MS = 3_600_000;

/** A real authority in a test's own directory. */
export function testAuthority(directory: string): Promise<Authority> {
  return openAuthority({
    directory: join(directory, 'pki'),
    kek: randomBytes(32),
    trustDomain: 'test.internal',
    now: () => new Date(),
    randomBytes,
  });
}

export function workerCredential(authority: Authority): Credential {
  const { privateKeyPem } = generateKeyPair();
  const { certificateChainPem } = authority.issueWorker({
    csrPem: createCsr(privateKeyPem),
    workerId: newId('wkr'),
    lifetimeMs: LIFETIME_MS,
  });
  return credentialOf({ privateKeyPem, certificateChainPem, bundlePem: authority.bundlePem });
}

export function gatewayCredential(authority: Authority, id: string = newId('gtw')): Credential {
  const { privateKeyPem } = generateKeyPair();
  const { certificateChainPem } = authority.issueService({
    csrPem: createCsr(privateKeyPem),
    kind: 'gateway',
    id,
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
    lifetimeMs: LIFETIME_MS,
  });
  return credentialOf({ privateKeyPem, certificateChainPem, bundlePem: authority.bundlePem });
}
