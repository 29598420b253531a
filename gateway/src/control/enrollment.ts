import { readFile } from 'node:fs/promises';
import type { Credential } from '@jetbridge/pki/credential/credential';
import { enroll } from '@jetbridge/pki/credential/enroll';
import { loadCredential, saveCredential } from '@jetbridge/pki/credential/files';
import { generateKeyPair } from '@jetbridge/pki/credential/keys';
import { StatusError } from '@jetbridge/proto/status-error';
import type { Logger } from 'pino';

/** Where the one-time token is to be found, if it is needed. */
export interface EnrollmentTokenSource {
  readonly token?: string | undefined;
  readonly file?: string | undefined;
}

export interface GatewayEnrollment {
  readonly controlUrl: string;
  readonly directory: string;
  readonly tokenSource: EnrollmentTokenSource;
  readonly now: () => Date;
  readonly log: Logger;
}

/** The gateway's credential: the saved one, or on the first start a new one for the enrollment token. */
export async function gatewayCredential(enrollment: GatewayEnrollment, signal: AbortSignal): Promise<Credential> {
  const { controlUrl, directory, tokenSource, now, log } = enrollment;
  const saved = await loadCredential(directory);
  if (saved !== undefined) {
    return requireUsable(saved, directory, now());
  }
  const token = await readToken(tokenSource);
  const { credential, name, notAfter } = await enroll({ controlUrl, token, keys: generateKeyPair(), signal, now });
  await saveCredential(directory, credential);
  log.info({ gatewayId: credential.identity.id, name, notAfter }, 'gateway enrolled');
  return requireUsable(credential, directory, now());
}

function requireUsable(credential: Credential, directory: string, now: Date): Credential {
  if (credential.identity.kind !== 'gateway') {
    throw new StatusError('failed_precondition', `${directory} holds the credential of a ${credential.identity.kind}, not of a gateway`);
  }
  if (credential.notAfter <= now) {
    throw new StatusError(
      'failed_precondition',
      `the gateway's credential expired at ${credential.notAfter.toISOString()}; delete ${directory} and start with a new enrollment token`,
    );
  }
  return credential;
}

async function readToken({ token, file }: EnrollmentTokenSource): Promise<string> {
  if (token !== undefined) {
    return token;
  }
  if (file === undefined) {
    throw new StatusError(
      'failed_precondition',
      'the gateway has no credential yet: set JETBRIDGE_ENROLL_TOKEN_FILE to a token from `jetbridge enroll-token create`',
    );
  }
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new StatusError('failed_precondition', `the enrollment token in ${file} cannot be read`, { cause });
  }
}
