import { existsSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Authority, openAuthority } from '@jetbridge/pki/authority/authority';
import type { RandomBytes } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import { replaceFile } from '../replace-file.ts';

export interface AuthorityPlace {
  readonly dataDirectory: string;
  readonly kekFile: string | undefined;
  readonly trustDomain: string;
  readonly now: () => Date;
  readonly randomBytes: RandomBytes;
}

const KEK_BYTES = 32;

/** Opens the CA, makes it on first use, and writes its root certificates to `ca.pem` for people to give to their clients. */
export async function openOwnAuthority({ dataDirectory, kekFile, trustDomain, now, randomBytes }: AuthorityPlace): Promise<Authority> {
  const directory = join(dataDirectory, 'pki');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const caDirectory = join(directory, 'authority');
  const kek = kekFile === undefined ? await ownKek(join(directory, 'kek'), caDirectory, randomBytes) : await readKek(kekFile);
  const authority = await openAuthority({ directory: caDirectory, kek, trustDomain, now, randomBytes });
  await replaceFile(join(dataDirectory, 'ca.pem'), authority.bundlePem, 0o644);
  return authority;
}

async function ownKek(path: string, caDirectory: string, randomBytes: RandomBytes): Promise<Buffer> {
  if (!existsSync(path)) {
    if (existsSync(caDirectory)) {
      throw new StatusError(
        'failed_precondition',
        `${path} is missing, and the CA keys in ${caDirectory} are sealed with it; restore it from a backup`,
      );
    }
    await replaceFile(path, `${randomBytes(KEK_BYTES).toString('base64')}\n`, 0o600);
  }
  return await readKek(path);
}

async function readKek(path: string): Promise<Buffer> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new StatusError('failed_precondition', `the CA's key encryption key ${path} cannot be read`, { cause });
  });
  try {
    const { mode } = await file.stat();
    if ((mode & 0o007) !== 0) {
      throw new StatusError('failed_precondition', `${path} may be read by everybody; chmod 600 it`);
    }
    const kek = Buffer.from((await file.readFile('utf8')).trim(), 'base64');
    if (kek.length !== KEK_BYTES) {
      throw new StatusError('failed_precondition', `${path} must hold 32 bytes in base64; make one with: openssl rand -base64 32`);
    }
    return kek;
  } finally {
    await file.close();
  }
}
