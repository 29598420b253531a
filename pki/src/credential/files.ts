import { join } from 'node:path';
import { StatusError } from '@jetbridge/proto/status-error';
import { CREDENTIAL_FILE_MAX_BYTES } from '../limits.ts';
import { readPrivateFile, replacePrivateFile, requirePrivateDirectory } from '../private-file.ts';
import { type Credential, type CredentialParts, credentialOf } from './credential.ts';

/** Key, chain and roots share one file, so that a crash cannot leave a new certificate beside an old key. */
const FILE_NAME = 'credential.json';

/** The credential saved in a directory, undefined when there is none; a damaged or readable-by-others one is an error, never "none". */
export async function loadCredential(directory: string): Promise<Credential | undefined> {
  const path = join(directory, FILE_NAME);
  const bytes = await readPrivateFile(path, CREDENTIAL_FILE_MAX_BYTES);
  if (bytes === undefined) {
    return undefined;
  }
  await requirePrivateDirectory(directory);
  try {
    return credentialOf(partsOf(JSON.parse(bytes.toString('utf8'))));
  } catch (cause) {
    throw new StatusError('data_loss', `${path} is damaged; delete it and enroll again with a new enrollment token`, { cause });
  }
}

/** Saves a credential in place of the old one: in a directory of mode 0700, in a file of mode 0600, in one step. */
export async function saveCredential(directory: string, { privateKeyPem, certificateChainPem, bundlePem }: CredentialParts): Promise<void> {
  await requirePrivateDirectory(directory);
  const parts: CredentialParts = { privateKeyPem, certificateChainPem, bundlePem };
  await replacePrivateFile(join(directory, FILE_NAME), Buffer.from(`${JSON.stringify(parts, undefined, 2)}\n`));
}

function partsOf(value: unknown): CredentialParts {
  const { privateKeyPem, certificateChainPem, bundlePem } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof privateKeyPem !== 'string' || typeof certificateChainPem !== 'string' || typeof bundlePem !== 'string') {
    throw new StatusError('data_loss', 'the file lacks the key, the chain or the roots');
  }
  return { privateKeyPem, certificateChainPem, bundlePem };
}
