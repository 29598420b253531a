import { join } from 'node:path';
import type { Credential } from '@jetbridge/pki/credential/credential';
import { enroll } from '@jetbridge/pki/credential/enroll';
import { loadCredential, saveCredential } from '@jetbridge/pki/credential/files';
import { generateKeyPair } from '@jetbridge/pki/credential/keys';
import { StatusError } from '@jetbridge/proto/status-error';
import type { Logger } from '../telemetry.ts';

export interface CredentialOptions {
  readonly dataDirectory: string;
  readonly controlUrl: URL;
  readonly enrollmentToken: string | undefined;
  readonly log: Logger;
  readonly now: () => Date;
}

/** This worker's credential: the saved one, or a first one in exchange for the enrollment token. The private key never leaves this machine. */
export async function obtainCredential(options: CredentialOptions, signal: AbortSignal): Promise<Credential> {
  const directory = join(options.dataDirectory, 'credential');
  const saved = await loadCredential(directory);
  if (saved !== undefined && saved.notAfter > options.now()) {
    return requireWorker(saved);
  }
  if (options.enrollmentToken === undefined) {
    throw new StatusError('failed_precondition', missing(saved));
  }
  const keys = generateKeyPair();
  const { credential, name, pool } = await enroll({
    controlUrl: options.controlUrl.origin,
    token: options.enrollmentToken,
    keys,
    signal,
    now: options.now,
  });
  requireWorker(credential);
  await saveCredential(directory, credential);
  options.log.info({ workerId: credential.identity.id, name, pool, notAfter: credential.notAfter.toISOString() }, 'worker enrolled');
  return credential;
}

function missing(expired: Credential | undefined): string {
  const why =
    expired === undefined ? 'this worker has no credential yet' : `this worker's credential expired on ${expired.notAfter.toISOString()}`;
  return `${why}: create an enrollment token (jetbridge enroll-token create) and set JETBRIDGE_ENROLL_TOKEN_FILE or JETBRIDGE_ENROLL_TOKEN`;
}

function requireWorker(credential: Credential): Credential {
  if (credential.identity.kind !== 'worker') {
    throw new StatusError(
      'failed_precondition',
      `the credential is that of a ${credential.identity.kind}, not of a worker: use a token created for a worker`,
    );
  }
  return credential;
}
