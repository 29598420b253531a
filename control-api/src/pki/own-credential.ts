import type { Authority } from '@jetbridge/pki/authority/authority';
import { type Credential, credentialOf } from '@jetbridge/pki/credential/credential';
import { createCsr } from '@jetbridge/pki/credential/csr';
import { generateKeyPair } from '@jetbridge/pki/credential/keys';
import { SERVICE_CREDENTIAL_MS } from '../limits.ts';

export interface ServerNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

/** A fresh key and certificate for the API's own listener. The key lives in memory only; each start makes another. */
export function issueOwnCredential(authority: Authority, names: ServerNames): Credential {
  const { privateKeyPem } = generateKeyPair();
  const { certificateChainPem } = authority.issueService({
    csrPem: createCsr(privateKeyPem),
    kind: 'control-api',
    id: 'control-api',
    dnsNames: names.dnsNames,
    ipAddresses: names.ipAddresses,
    lifetimeMs: SERVICE_CREDENTIAL_MS,
  });
  return credentialOf({ privateKeyPem, certificateChainPem, bundlePem: authority.bundlePem });
}
