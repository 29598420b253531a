import type { AuthenticateReply, Principal } from '@jetbridge/proto/control';
import { StatusError } from '@jetbridge/proto/status-error';
import type { Audit } from '../audit/rules.ts';
import type { Rows } from '../database/database.ts';
import { PASSWORD_BELIEF_MS, SIGN_INS_IN_ALL, SIGN_INS_PER_NAME_AND_ADDRESS } from '../limits.ts';
import { RateLimiter } from '../rate-limiter.ts';
import type { SignInCounter } from '../telemetry.ts';
import { parseAccessToken } from './access-token.ts';
import type { Passwords } from './passwords.ts';
import { findPrincipal, principalOf } from './store.ts';
import type { Bearer, OpenedSession, Tokens } from './tokens.ts';

export interface Attempt {
  readonly username: string;
  /** A password, or one of the principal's access tokens. */
  readonly password: string;
  /** Where the person is, as far as known. */
  readonly sourceAddress: string;
}

export interface SignInOptions {
  readonly rows: Rows;
  readonly audit: Audit;
  readonly passwords: Passwords;
  readonly tokens: Tokens;
  readonly signIns: SignInCounter;
  readonly now: () => Date;
}

interface Proven {
  readonly principal: Principal;
  /** Set when an access token stood in for the password. */
  readonly by: Bearer | undefined;
}

/** The rules of signing in: limits first, one message for every failure, the same work whether the name exists or not. */
export class SignIn {
  readonly #options: SignInOptions;
  readonly #perNameAndAddress: RateLimiter;
  readonly #inAll: RateLimiter;

  constructor(options: SignInOptions) {
    this.#options = options;
    this.#perNameAndAddress = new RateLimiter(SIGN_INS_PER_NAME_AND_ADDRESS, options.now);
    this.#inAll = new RateLimiter(SIGN_INS_IN_ALL, options.now);
  }

  async openSession(attempt: Attempt): Promise<OpenedSession & { readonly principal: Principal }> {
    const { principal, by } = await this.#prove(attempt);
    const session = await this.#options.tokens.openSession(principal, by, attempt.sourceAddress);
    return { ...session, principal };
  }

  /** Believes without opening a session, for clients that show their password with every call. */
  async authenticate(attempt: Attempt): Promise<AuthenticateReply> {
    const { principal, by } = await this.#prove(attempt);
    if (by === undefined) {
      await this.#options.audit.recordAlone({
        actor: principal.id,
        action: 'sign_in',
        subject: principal.name,
        outcome: 'success',
        sourceAddress: attempt.sourceAddress,
        detail: { with: 'password' },
      });
    }
    const latest = this.#options.now().getTime() + PASSWORD_BELIEF_MS;
    const expiresAt = new Date(Math.min(latest, by?.expiresAt.getTime() ?? latest));
    return { principal, expiresAt: expiresAt.toISOString(), ...(by?.sessionId === undefined ? {} : { sessionId: by.sessionId }) };
  }

  async #prove(attempt: Attempt): Promise<Proven> {
    const proven = parseAccessToken(attempt.password) === undefined ? await this.#byPassword(attempt) : await this.#byToken(attempt);
    this.#options.signIns.inc({ outcome: proven === undefined ? 'failure' : 'success' });
    if (proven !== undefined) {
      return proven;
    }
    await this.#options.audit.recordAlone({
      action: 'sign_in',
      subject: attempt.username,
      outcome: 'failure',
      sourceAddress: attempt.sourceAddress,
    });
    throw new StatusError('unauthenticated', 'the user name or the password is wrong');
  }

  async #byPassword({ username, password, sourceAddress }: Attempt): Promise<Proven | undefined> {
    const giveBack = this.#take(`${sourceAddress} ${username}`);
    let wrong = false;
    try {
      const row = await findPrincipal(this.#options.rows, 'name', username);
      wrong = !(await this.#options.passwords.verify(password, row?.password_hash ?? undefined));
      return wrong || row === undefined ? undefined : { principal: principalOf(row), by: undefined };
    } finally {
      if (!wrong) {
        giveBack();
      }
    }
  }

  // Counted while the check runs, so that attempts at once cannot pass the limit together.
  #take(key: string): () => void {
    try {
      this.#perNameAndAddress.take(key);
      this.#inAll.take('');
    } catch (error) {
      this.#options.signIns.inc({ outcome: 'limited' });
      throw error;
    }
    return () => {
      this.#perNameAndAddress.giveBack(key);
      this.#inAll.giveBack('');
    };
  }

  async #byToken({ username, password }: Attempt): Promise<Proven | undefined> {
    try {
      const by = await this.#options.tokens.verify(password);
      return by.principal.name === username ? { principal: by.principal, by } : undefined;
    } catch (error) {
      if (error instanceof StatusError && error.code === 'unauthenticated') {
        return undefined;
      }
      throw error;
    }
  }
}
