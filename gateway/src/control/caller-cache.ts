import { hash, type KeyObject } from 'node:crypto';
import type { AuthenticateReply, AuthenticateRequest, OpenSessionReply } from '@jetbridge/proto/control';
import { StatusError } from '@jetbridge/proto/status-error';
import type { CallerCacheLimits } from '../limits.ts';
import type { Control } from './interface.ts';

export interface CallerCacheOptions {
  readonly control: Pick<Control, 'authenticate'>;
  readonly limits: CallerCacheLimits;
  /** Random, and known to this process only: what is kept in memory then says nothing about any password or token. */
  readonly key: KeyObject;
  readonly now: () => number;
  readonly counted: (result: 'hit' | 'miss') => void;
}

type Entry =
  | { readonly kind: 'asking'; readonly answer: Promise<AuthenticateReply> }
  | { readonly kind: 'verified'; readonly reply: AuthenticateReply; readonly until: number }
  | { readonly kind: 'refused'; readonly error: StatusError; readonly until: number };

/** Remembers verified callers for a short time, so that four calls per statement do not become four questions. Asks once at a time per caller. */
export class CallerCache {
  readonly #options: CallerCacheOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #key: string;

  constructor(options: CallerCacheOptions) {
    this.#options = options;
    this.#key = options.key.export().toString('base64');
  }

  get size(): number {
    return this.#entries.size;
  }

  async authenticate(credentials: AuthenticateRequest, clientAddress: string): Promise<AuthenticateReply> {
    const key = this.#keyOf(credentials);
    const entry = this.#current(key);
    this.#options.counted(entry === undefined ? 'miss' : 'hit');
    switch (entry?.kind) {
      case 'verified':
        return entry.reply;
      case 'refused':
        throw entry.error;
      case 'asking':
        return entry.answer;
      case undefined:
        return this.#ask(key, this.#options.control.authenticate(credentials, clientAddress));
    }
  }

  /** A session that was just opened needs no question. */
  remember({ accessToken, principal, expiresAt, sessionId }: OpenSessionReply): void {
    this.#verified(this.#keyOf({ bearer: accessToken }), { principal, expiresAt, sessionId });
  }

  /** The token was signed out: an answer that is still on its way must not bring it back. */
  forget(accessToken: string): void {
    const error = new StatusError('unauthenticated', 'the access token has been signed out; connect again');
    this.#store(this.#keyOf({ bearer: accessToken }), {
      kind: 'refused',
      error,
      until: this.#options.now() + this.#options.limits.refusedTtlMs,
    });
  }

  async #ask(key: string, answer: Promise<AuthenticateReply>): Promise<AuthenticateReply> {
    const asking: Entry = { kind: 'asking', answer };
    this.#store(key, asking);
    try {
      const reply = await answer;
      if (this.#entries.get(key) === asking) {
        this.#verified(key, reply);
      }
      return reply;
    } catch (thrown) {
      if (this.#entries.get(key) === asking) {
        this.#refused(key, thrown);
      }
      throw thrown;
    }
  }

  #verified(key: string, reply: AuthenticateReply): void {
    const { now, limits } = this.#options;
    const expiresAt = Date.parse(reply.expiresAt);
    this.#store(key, { kind: 'verified', reply, until: Math.min(now() + limits.verifiedTtlMs, Number.isNaN(expiresAt) ? 0 : expiresAt) });
  }

  // Only a real refusal is remembered: a control-api that could not answer may answer the next time.
  #refused(key: string, thrown: unknown): void {
    if (thrown instanceof StatusError && thrown.code === 'unauthenticated') {
      this.#store(key, { kind: 'refused', error: thrown, until: this.#options.now() + this.#options.limits.refusedTtlMs });
    } else {
      this.#entries.delete(key);
    }
  }

  #current(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.kind === 'asking' || entry.until > this.#options.now()) {
      return entry;
    }
    this.#entries.delete(key);
    return undefined;
  }

  // A Map keeps the order of insertion: the first is the one that was verified longest ago.
  #store(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#options.limits.callers) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest as string);
    }
  }

  #keyOf({ basic, bearer }: AuthenticateRequest): string {
    const credentials = basic === undefined ? ['bearer', bearer] : ['basic', basic.username, basic.password];
    // Names of entries, shown to nobody: a keyed hash serves as well as an HMAC, which costs ten times as much for each call.
    return hash('sha256', this.#key + JSON.stringify(credentials), 'base64');
  }
}
