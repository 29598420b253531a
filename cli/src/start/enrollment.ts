import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadCredential } from '@jetbridge/pki/credential/files';
import { StatusError } from '@jetbridge/proto/status-error';
import { ApiClient, textField } from '../api/api-client.ts';
import { CREDENTIAL_SPARE_MS, LOCAL_NAMES_MAX } from '../limits.ts';
import { CommandError } from '../usage.ts';
import { writeAtomically } from './atomic-file.ts';
import { type GatewayName, type Layout, readPassword } from './layout.ts';
import { ADMIN } from './mesh-report.ts';

export type Enrolled = GatewayName | 'worker';

export interface EnrollmentOptions {
  readonly layout: Layout;
  readonly apiUrl: string;
  /** An admin's access token, for when the initial password is gone. */
  readonly accessToken: string | undefined;
}

const TOKEN_TTL_S = 600;

/** Gets enrollment tokens, as an operator would, for processes that have no credential that still serves. */
export class Enrollment {
  readonly #options: EnrollmentOptions;
  readonly #signal: AbortSignal;
  readonly #enrolled = new Set<Enrolled>();
  #api: ApiClient | undefined;

  constructor(options: EnrollmentOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
  }

  didEnroll(name: Enrolled): boolean {
    return this.#enrolled.has(name);
  }

  /** Whether the process has a credential that will serve for some time yet. */
  async isCredentialFresh(name: Enrolled): Promise<boolean> {
    const credential = await loadCredential(this.#credentialDirectory(name));
    return credential !== undefined && credential.notAfter.getTime() > Date.now() + CREDENTIAL_SPARE_MS;
  }

  /** What the process needs in its environment to have a credential when it starts. */
  async settings(name: Enrolled): Promise<Readonly<Record<string, string>>> {
    if (await this.isCredentialFresh(name)) {
      return {};
    }
    const file = this.#tokenFile(name);
    await writeAtomically(file, `${await this.#createToken(name)}\n`, 0o600);
    // Without the old credential the process enrolls anew.
    await rm(this.#credentialDirectory(name), { recursive: true, force: true });
    this.#enrolled.add(name);
    return { JETBRIDGE_ENROLL_TOKEN_FILE: file };
  }

  /** Rejects when no token could be had now; a process must not be stopped for a credential that it will not get. */
  async requirePermission(): Promise<void> {
    this.#api ??= await this.#signIn();
  }

  /** Signs out and removes what was used. */
  async end(): Promise<void> {
    const api = this.#api;
    if (api === undefined) {
      return;
    }
    this.#api = undefined;
    if (this.#options.accessToken === undefined) {
      await api.signOut(this.#signal);
    }
    await Promise.all([...this.#enrolled].map((name) => rm(this.#tokenFile(name), { force: true })));
  }

  /** A name stays taken until the credential under it has expired, also when the credential was lost: then the next one. */
  async #createToken(name: Enrolled): Promise<string> {
    this.#api ??= await this.#signIn();
    const options =
      name === 'worker'
        ? { kind: 'worker', pool: 'default' }
        : { kind: 'gateway', dnsNames: ['localhost'], ipAddresses: ['127.0.0.1', '::1'] };
    for (let n = 1; ; n += 1) {
      const request = { name: `local-${name}${n === 1 ? '' : `-${n}`}`, ttlS: TOKEN_TTL_S, ...options };
      try {
        return textField(await this.#api.call('POST', '/v1/enrollment-tokens', this.#signal, request), 'token');
      } catch (error) {
        if (!hasCode(error, 'already_exists') || n === LOCAL_NAMES_MAX) {
          throw error;
        }
      }
    }
  }

  async #signIn(): Promise<ApiClient> {
    const { layout, apiUrl, accessToken } = this.#options;
    const address = { apiUrl, caPem: await readFile(layout.caFile, 'utf8') };
    if (accessToken !== undefined) {
      return new ApiClient(address, accessToken);
    }
    const password = await readPassword(layout);
    try {
      if (password !== undefined) {
        return await new ApiClient(address).signIn(ADMIN, password, this.#signal);
      }
    } catch (error) {
      if (!hasCode(error, 'unauthenticated')) {
        throw error;
      }
    }
    throw new CommandError(
      `a process must enroll, but the initial password of ${ADMIN} (${layout.passwordFile}) is gone or changed; set JETBRIDGE_TOKEN to an admin's access token`,
    );
  }

  #credentialDirectory(name: Enrolled): string {
    return join(this.#options.layout.dataDir, name, 'credential');
  }

  #tokenFile(name: Enrolled): string {
    return join(this.#options.layout.run, `${name}.token`);
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof StatusError && error.code === code;
}
