import type { Principal } from '@jetbridge/proto/control';
import { isId, newId, type RandomBytes } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import type { Audit } from '../audit/rules.ts';
import type { Rows } from '../database/database.ts';
import {
  DEFAULT_ACCESS_TOKEN_TTL_MS,
  ENDED_TOKEN_RETENTION_MS,
  LAST_USED_GRAIN_MS,
  MAX_NAMED_TOKENS_PER_PRINCIPAL,
  MAX_SESSIONS_PER_PRINCIPAL,
  SESSION_TTL_MS,
} from '../limits.ts';
import { isSecretOf, newAccessToken, parseAccessToken } from './access-token.ts';
import {
  countLiveNamedTokens,
  findAccessToken,
  findPrincipal,
  insertAccessToken,
  pruneSessions,
  revokeAccessToken,
  type StoredAccessToken,
  touchAccessToken,
} from './store.ts';

/** A caller who proved to be a principal by an access token. */
export interface Bearer {
  readonly principal: Principal;
  readonly tokenId: string;
  readonly expiresAt: Date;
  readonly sessionId: string | undefined;
}

export interface OpenedSession {
  readonly accessToken: string;
  readonly sessionId: string;
  readonly expiresAt: Date;
}

export interface NewNamedToken {
  readonly name: string;
  readonly ttlMs?: number | undefined;
  /** Whose token it becomes; without it, the caller's own. */
  readonly principalId?: string | undefined;
}

export interface CreatedToken {
  readonly id: string;
  readonly accessToken: string;
  readonly expiresAt: Date;
}

export interface TokensOptions {
  readonly rows: Rows;
  readonly audit: Audit;
  readonly now: () => Date;
  readonly randomBytes: RandomBytes;
}

/** The rules of access tokens: made, believed, revoked. */
export class Tokens {
  readonly #rows: Rows;
  readonly #audit: Audit;
  readonly #now: () => Date;
  readonly #randomBytes: RandomBytes;

  constructor({ rows, audit, now, randomBytes }: TokensOptions) {
    this.#rows = rows;
    this.#audit = audit;
    this.#now = now;
    this.#randomBytes = randomBytes;
  }

  /** Who holds this token, or `unauthenticated` with one message for all reasons. */
  async verify(text: string): Promise<Bearer> {
    const parsed = parseAccessToken(text);
    const token = parsed === undefined ? undefined : await findAccessToken(this.#rows, parsed.id);
    const now = this.#now();
    if (
      parsed === undefined ||
      token === undefined ||
      !isSecretOf(parsed.secret, token.secret_hash) ||
      token.revoked_at !== null ||
      token.expires_at <= now
    ) {
      throw new StatusError('unauthenticated', 'the access token is not valid; sign in again');
    }
    await this.#noteUse(token, now);
    return {
      principal: { id: token.principal_id, name: token.principal_name, kind: token.principal_kind, roles: token.principal_roles },
      tokenId: token.id,
      expiresAt: token.expires_at,
      sessionId: token.session_id ?? undefined,
    };
  }

  /** Opens a session for a principal who showed a password, or the token in `by`: then the session ends no later than it. */
  async openSession(principal: Principal, by: Bearer | undefined, sourceAddress: string): Promise<OpenedSession> {
    const now = this.#now();
    const token = newAccessToken(this.#randomBytes);
    const sessionId = newId('ses', this.#randomBytes);
    const latest = now.getTime() + SESSION_TTL_MS;
    const expiresAt = new Date(Math.min(latest, by?.expiresAt.getTime() ?? latest));
    await this.#rows.transaction().execute(async (writes) => {
      await pruneSessions(writes, principal.id, new Date(now.getTime() - ENDED_TOKEN_RETENTION_MS), MAX_SESSIONS_PER_PRINCIPAL - 1);
      await insertAccessToken(writes, {
        id: token.id,
        principal_id: principal.id,
        kind: 'session',
        parent_id: by?.tokenId ?? null,
        name: null,
        session_id: sessionId,
        secret_hash: token.secretHash,
        source_address: sourceAddress,
        created_at: now,
        expires_at: expiresAt,
        last_used_at: null,
        revoked_at: null,
      });
      await this.#audit.record(writes, {
        actor: principal.id,
        action: 'sign_in',
        subject: principal.name,
        outcome: 'success',
        sourceAddress,
        detail: { sessionId, with: by === undefined ? 'password' : 'access_token' },
      });
    });
    return { accessToken: token.text, sessionId, expiresAt };
  }

  async create(caller: Principal, request: NewNamedToken, sourceAddress: string): Promise<CreatedToken> {
    const principalId = request.principalId ?? caller.id;
    await this.#requireMayCreateFor(caller, principalId);
    const now = this.#now();
    if ((await countLiveNamedTokens(this.#rows, principalId, now)) >= MAX_NAMED_TOKENS_PER_PRINCIPAL) {
      throw new StatusError(
        'failed_precondition',
        `a principal has at most ${MAX_NAMED_TOKENS_PER_PRINCIPAL} access tokens; delete one first`,
      );
    }
    const token = newAccessToken(this.#randomBytes);
    const expiresAt = new Date(now.getTime() + (request.ttlMs ?? DEFAULT_ACCESS_TOKEN_TTL_MS));
    await this.#rows.transaction().execute(async (writes) => {
      await insertAccessToken(writes, {
        id: token.id,
        principal_id: principalId,
        kind: 'named',
        parent_id: null,
        name: request.name,
        session_id: null,
        secret_hash: token.secretHash,
        source_address: sourceAddress,
        created_at: now,
        expires_at: expiresAt,
        last_used_at: null,
        revoked_at: null,
      });
      await this.#audit.record(writes, {
        actor: caller.id,
        action: 'access_token.create',
        subject: token.id,
        outcome: 'success',
        sourceAddress,
        detail: { principalId, name: request.name, expiresAt: expiresAt.toISOString() },
      });
    });
    return { id: token.id, accessToken: token.text, expiresAt };
  }

  /** Revokes one's own token, or as admin anybody's. */
  async revoke(caller: Principal, id: string, sourceAddress: string): Promise<void> {
    const token = isId('tok', id) ? await findAccessToken(this.#rows, id) : undefined;
    const visible = token !== undefined && (token.principal_id === caller.id || caller.roles.includes('admin'));
    if (!visible || !(await this.#revoke(caller, token.id, 'access_token.revoke', sourceAddress))) {
      throw new StatusError('not_found', 'there is no such access token, or it was deleted before');
    }
  }

  /** Ends the session of the token that the caller showed. */
  async signOut(bearer: Bearer, sourceAddress: string): Promise<void> {
    if (bearer.sessionId === undefined) {
      throw new StatusError(
        'failed_precondition',
        'this access token was not made by signing in; delete it with DELETE /v1/access-tokens/{id}',
      );
    }
    await this.#revoke(bearer.principal, bearer.tokenId, 'sign_out', sourceAddress);
  }

  #revoke(caller: Principal, id: string, action: 'access_token.revoke' | 'sign_out', sourceAddress: string): Promise<boolean> {
    return this.#rows.transaction().execute(async (writes) => {
      const revoked = await revokeAccessToken(writes, id, this.#now());
      if (revoked) {
        await this.#audit.record(writes, { actor: caller.id, action, subject: id, outcome: 'success', sourceAddress });
      }
      return revoked;
    });
  }

  async #requireMayCreateFor(caller: Principal, principalId: string): Promise<void> {
    if (principalId === caller.id) {
      return;
    }
    if (!caller.roles.includes('admin')) {
      throw new StatusError('permission_denied', 'only an admin may create access tokens for others');
    }
    const principal = await findPrincipal(this.#rows, 'id', principalId);
    if (principal === undefined) {
      throw new StatusError('not_found', 'there is no principal with the id in body.principalId');
    }
    // A person's token made by somebody else would act in the person's name.
    if (principal.kind !== 'service') {
      throw new StatusError('permission_denied', 'an access token of a person can only be created by that person');
    }
  }

  async #noteUse(token: StoredAccessToken, now: Date): Promise<void> {
    const lastMs = token.last_used_at?.getTime() ?? 0;
    if (now.getTime() - lastMs >= LAST_USED_GRAIN_MS) {
      await touchAccessToken(this.#rows, token.id, now);
    }
  }
}
