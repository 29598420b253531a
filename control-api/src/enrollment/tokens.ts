import { isIP } from 'node:net';
import { formatEnrollmentToken, hashEnrollmentSecret } from '@jetbridge/proto/enrollment';
import { newId, type RandomBytes } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import type { Audit } from '../audit/rules.ts';
import type { Rows } from '../database/database.ts';
import { DEFAULT_ENROLLMENT_TTL_MS, ENDED_TOKEN_RETENTION_MS, MAX_OPEN_ENROLLMENT_TOKENS } from '../limits.ts';
import { type EnrolledKind, requireFreeName } from './names.ts';
import {
  countOpenEnrollmentTokens,
  deleteEnrollmentTokensExpiredBefore,
  findEnrollmentToken,
  insertEnrollmentToken,
  revokeEnrollmentToken,
} from './store.ts';

export interface NewEnrollmentToken {
  readonly kind: EnrolledKind;
  readonly name: string;
  readonly pool?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly tunnelAddress?: string;
  readonly ttlS?: number;
}

export interface CreatedEnrollmentToken {
  readonly id: string;
  readonly token: string;
  readonly expiresAt: Date;
}

export interface EnrollmentTokensOptions {
  readonly rows: Rows;
  readonly audit: Audit;
  readonly now: () => Date;
  readonly randomBytes: RandomBytes;
  readonly rootPin: string;
}

const SECRET_BYTES = 32;
const DEFAULT_POOL = 'default';

/** Makes a token that lets one worker or gateway get its first credential; what the credential will say is fixed here. */
export async function createEnrollmentToken(
  options: EnrollmentTokensOptions,
  callerId: string,
  request: NewEnrollmentToken,
  sourceAddress: string,
): Promise<CreatedEnrollmentToken> {
  requireCoherent(request);
  const now = options.now();
  await requireFreeName(options.rows, request.kind, request.name, now);
  if ((await countOpenEnrollmentTokens(options.rows, now)) >= MAX_OPEN_ENROLLMENT_TOKENS) {
    throw new StatusError(
      'failed_precondition',
      `there are ${MAX_OPEN_ENROLLMENT_TOKENS} unused enrollment tokens; delete some or let them expire`,
    );
  }
  const id = newId('enr', options.randomBytes);
  const secret = options.randomBytes(SECRET_BYTES).toString('base64url');
  const expiresAt = new Date(now.getTime() + (request.ttlS === undefined ? DEFAULT_ENROLLMENT_TTL_MS : request.ttlS * 1000));
  const pool = request.kind === 'worker' ? (request.pool ?? DEFAULT_POOL) : null;
  await options.rows.transaction().execute(async (writes) => {
    await deleteEnrollmentTokensExpiredBefore(writes, new Date(now.getTime() - ENDED_TOKEN_RETENTION_MS));
    await insertEnrollmentToken(writes, {
      id,
      secret_hash: hashEnrollmentSecret(secret),
      kind: request.kind,
      name: request.name,
      pool,
      labels: JSON.stringify(request.labels ?? {}),
      dns_names: [...(request.dnsNames ?? [])],
      ip_addresses: [...(request.ipAddresses ?? [])],
      tunnel_address: request.tunnelAddress ?? null,
      created_by: callerId,
      created_at: now,
      expires_at: expiresAt,
      revoked_at: null,
      used_at: null,
      used_public_key: null,
      reply: null,
    });
    await options.audit.record(writes, {
      actor: callerId,
      action: 'enrollment_token.create',
      subject: id,
      outcome: 'success',
      sourceAddress,
      detail: { kind: request.kind, name: request.name, pool, expiresAt: expiresAt.toISOString() },
    });
  });
  return { id, token: formatEnrollmentToken({ id, secret, rootPin: options.rootPin }), expiresAt };
}

/** Takes an unused token back. */
export async function deleteEnrollmentToken(
  options: EnrollmentTokensOptions,
  callerId: string,
  id: string,
  sourceAddress: string,
): Promise<void> {
  const token = await findEnrollmentToken(options.rows, id);
  if (token === undefined || token.revoked_at !== null) {
    throw new StatusError('not_found', 'there is no such enrollment token, or it was deleted before');
  }
  const revoked = await options.rows.transaction().execute(async (writes) => {
    if (!(await revokeEnrollmentToken(writes, id, options.now()))) {
      return false;
    }
    await options.audit.record(writes, {
      actor: callerId,
      action: 'enrollment_token.revoke',
      subject: id,
      outcome: 'success',
      sourceAddress,
    });
    return true;
  });
  if (!revoked) {
    throw new StatusError('failed_precondition', 'the enrollment token has been used; it can be used no more');
  }
}

// What a worker's certificate never holds must not be asked for, and a gateway that no client can verify helps nobody.
function requireCoherent({ kind, pool, dnsNames = [], ipAddresses = [], tunnelAddress }: NewEnrollmentToken): void {
  const wrong = ipAddresses.find((address) => isIP(address) === 0);
  if (wrong !== undefined) {
    throw new StatusError('invalid_argument', 'body.ipAddresses must hold plain IPv4 and IPv6 addresses; host names go to body.dnsNames');
  }
  if (kind === 'worker' && (dnsNames.length > 0 || ipAddresses.length > 0 || tunnelAddress !== undefined)) {
    throw new StatusError(
      'invalid_argument',
      'body.dnsNames, body.ipAddresses and body.tunnelAddress are for gateways; a worker has no listener',
    );
  }
  if (kind === 'gateway' && pool !== undefined) {
    throw new StatusError('invalid_argument', 'body.pool is for workers; a gateway belongs to no pool');
  }
  if (kind === 'gateway' && dnsNames.length + ipAddresses.length === 0) {
    throw new StatusError('invalid_argument', 'body.dnsNames or body.ipAddresses must name the gateway as clients reach it');
  }
}
