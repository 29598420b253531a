import { createHash, timingSafeEqual } from 'node:crypto';
import type { Authority, Issued } from '@jetbridge/pki/authority/authority';
import { publicKeyOfSigningRequest } from '@jetbridge/pki/authority/signing-request';
import {
  type EnrollmentToken,
  type EnrollReply,
  type EnrollRequest,
  hashEnrollmentSecret,
  parseEnrollmentToken,
} from '@jetbridge/proto/enrollment';
import { newId, type RandomBytes } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import type { Audit } from '../audit/rules.ts';
import type { Rows, Writes } from '../database/database.ts';
import { isUniqueViolation } from '../database/errors.ts';
import { aliveGatewayAddresses } from '../gateways/rules.ts';
import { insertGateway, revokeExpiredGateway } from '../gateways/store.ts';
import {
  ENROLLMENT_REPLAY_MS,
  ENROLLMENTS_IN_ALL,
  ENROLLMENTS_PER_ADDRESS,
  SERVICE_CREDENTIAL_MS,
  WORKER_CREDENTIAL_MS,
} from '../limits.ts';
import { RateLimiter } from '../rate-limiter.ts';
import type { EnrollmentCounter } from '../telemetry.ts';
import { insertWorker, revokeExpiredWorker } from '../workers/store.ts';
import { nameTaken, requireFreeName } from './names.ts';
import { findEnrollmentToken, keepReply, type StoredEnrollmentToken, useEnrollmentToken } from './store.ts';

export interface EnrollmentOptions {
  readonly rows: Rows;
  readonly audit: Audit;
  readonly authority: Authority;
  readonly enrollments: EnrollmentCounter;
  readonly now: () => Date;
  readonly randomBytes: RandomBytes;
}

interface Given {
  readonly reply: EnrollReply;
  readonly outcome: 'success' | 'repeated';
}

type Refusal = 'malformed' | 'unknown' | 'wrong_secret' | 'revoked' | 'expired' | 'used';

// The caller hears one sentence for all of them; the audit record says which.
class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal);
    this.refusal = refusal;
  }
}

/**
 * Turns a one-time token and a CSR into a first credential, in this order: rate limit, token, CSR, compare-and-set, sign,
 * audit. All that is written is one transaction, so a failure at any step leaves the token as it was.
 */
export class Enrollment {
  readonly #options: EnrollmentOptions;
  readonly #perAddress: RateLimiter;
  readonly #inAll: RateLimiter;

  constructor(options: EnrollmentOptions) {
    this.#options = options;
    this.#perAddress = new RateLimiter(ENROLLMENTS_PER_ADDRESS, options.now);
    this.#inAll = new RateLimiter(ENROLLMENTS_IN_ALL, options.now);
  }

  async enroll(request: EnrollRequest, sourceAddress: string): Promise<EnrollReply> {
    this.#limit(sourceAddress);
    const token = parsed(request.token);
    try {
      const { reply, outcome } = await this.#enroll(token, request.csr, sourceAddress);
      this.#options.enrollments.inc({ outcome });
      return reply;
    } catch (error) {
      throw await this.#refuse(error, token, sourceAddress);
    }
  }

  #limit(sourceAddress: string): void {
    try {
      this.#perAddress.take(sourceAddress);
      this.#inAll.take('');
    } catch (error) {
      this.#options.enrollments.inc({ outcome: 'limited' });
      throw error;
    }
  }

  async #enroll(token: EnrollmentToken | undefined, csr: string, sourceAddress: string): Promise<Given> {
    if (token === undefined) {
      throw new Refused('malformed');
    }
    const row = await this.#requireBelieved(token);
    const publicKey = createHash('sha256').update(publicKeyOfSigningRequest(csr)).digest('hex');
    try {
      return await this.#options.rows.transaction().execute(async (writes) => {
        if (!(await useEnrollmentToken(writes, row.id, publicKey, this.#options.now()))) {
          return { reply: await this.#replyGivenBefore(writes, row.id, publicKey), outcome: 'repeated' };
        }
        return { reply: await this.#issue(writes, row, csr, sourceAddress), outcome: 'success' };
      });
    } catch (error) {
      throw isUniqueViolation(error) ? nameTaken(row.kind, row.name) : error;
    }
  }

  async #requireBelieved({ id, secret }: EnrollmentToken): Promise<StoredEnrollmentToken> {
    const row = await findEnrollmentToken(this.#options.rows, id);
    if (row === undefined) {
      throw new Refused('unknown');
    }
    if (!timingSafeEqual(Buffer.from(hashEnrollmentSecret(secret), 'hex'), Buffer.from(row.secret_hash, 'hex'))) {
      throw new Refused('wrong_secret');
    }
    if (row.revoked_at !== null) {
      throw new Refused('revoked');
    }
    // A used token may be past its own expiry when its lost reply is asked for.
    if (row.used_at === null && row.expires_at <= this.#options.now()) {
      throw new Refused('expired');
    }
    return row;
  }

  /** The same token with the same key, soon after: the reply was lost, so it is given again. */
  async #replyGivenBefore(writes: Writes, id: string, publicKey: string): Promise<EnrollReply> {
    const row = await findEnrollmentToken(writes, id);
    const usedMs = row?.used_at?.getTime();
    if (
      row?.reply == null ||
      usedMs === undefined ||
      row.used_public_key !== publicKey ||
      this.#options.now().getTime() - usedMs > ENROLLMENT_REPLAY_MS
    ) {
      throw new Refused('used');
    }
    return row.reply;
  }

  async #issue(writes: Writes, row: StoredEnrollmentToken, csr: string, sourceAddress: string): Promise<EnrollReply> {
    const { authority, randomBytes } = this.#options;
    const now = this.#options.now();
    await requireFreeName(writes, row.kind, row.name, now);
    const id = newId(row.kind === 'worker' ? 'wkr' : 'gtw', randomBytes);
    const issued =
      row.kind === 'worker'
        ? authority.issueWorker({ csrPem: csr, workerId: id, lifetimeMs: WORKER_CREDENTIAL_MS })
        : authority.issueService({
            csrPem: csr,
            kind: 'gateway',
            id,
            dnsNames: row.dns_names,
            ipAddresses: row.ip_addresses,
            lifetimeMs: SERVICE_CREDENTIAL_MS,
          });
    await insertEnrolled(writes, row, id, issued, now);
    const reply: EnrollReply = {
      id,
      name: row.name,
      kind: row.kind,
      ...(row.pool === null ? {} : { pool: row.pool }),
      certificateChainPem: issued.certificateChainPem,
      bundlePem: authority.bundlePem,
      trustDomain: authority.trustDomain,
      notAfter: issued.notAfter.toISOString(),
      renewAfter: issued.renewAfter.toISOString(),
      gateways: row.kind === 'worker' ? await aliveGatewayAddresses({ rows: writes, now: this.#options.now }) : [],
    };
    await keepReply(writes, row.id, reply);
    await this.#options.audit.record(writes, {
      actor: id,
      action: 'enroll',
      subject: row.id,
      outcome: 'success',
      sourceAddress,
      detail: {
        kind: row.kind,
        name: row.name,
        pool: row.pool,
        serial: issued.serialHex,
        publicKey: issued.publicKeySha256,
        notAfter: reply.notAfter,
      },
    });
    return reply;
  }

  /** Audits a refusal and turns it into what the caller hears. */
  async #refuse(error: unknown, token: EnrollmentToken | undefined, sourceAddress: string): Promise<unknown> {
    const refused = error instanceof Refused;
    if (!refused && !(error instanceof StatusError && REFUSING_CODES.has(error.code))) {
      return error;
    }
    this.#options.enrollments.inc({ outcome: 'refused' });
    const reason = refused ? error.refusal : error.code;
    await this.#options.audit.recordAlone({ action: 'enroll', subject: token?.id, outcome: 'failure', sourceAddress, detail: { reason } });
    return refused ? new StatusError('unauthenticated', 'the enrollment token is not valid; create a new one') : error;
  }
}

// A bad CSR, and a name that is taken; the rest is our own trouble.
const REFUSING_CODES = new Set(['invalid_argument', 'already_exists']);

function parsed(text: string): EnrollmentToken | undefined {
  try {
    return parseEnrollmentToken(text);
  } catch {
    return undefined;
  }
}

async function insertEnrolled(writes: Writes, row: StoredEnrollmentToken, id: string, issued: Issued, now: Date): Promise<void> {
  const shared = {
    id,
    name: row.name,
    labels: JSON.stringify(row.labels),
    state: 'active' as const,
    created_at: now,
    credential_serial: issued.serialHex,
    credential_not_after: issued.notAfter,
  };
  if (row.kind === 'worker') {
    await revokeExpiredWorker(writes, row.name, now);
    await insertWorker(writes, { ...shared, pool: row.pool ?? '' });
    return;
  }
  await revokeExpiredGateway(writes, row.name, now);
  await insertGateway(writes, {
    ...shared,
    dns_names: row.dns_names,
    tunnel_address: row.tunnel_address,
    flight_address: null,
    version: null,
    reported_at: null,
    tunnels_reported_at: null,
  });
}
