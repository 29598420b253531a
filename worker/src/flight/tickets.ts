import { createSecretKey, type KeyObject } from 'node:crypto';
import { openHandle, sealHandle } from '@jetbridge/proto/handle';
import type { RandomBytes } from '@jetbridge/proto/ids';
import { StatusError } from '@jetbridge/proto/status-error';
import { PREPARED_TTL_MS, TICKET_TTL_MS } from '../limits.ts';
import type { SessionKey } from '../query/sessions.ts';

/** What a handle of this worker stands for. Clients carry it and cannot read it. */
export type Sealed = SealedOpened | SealedPrepared | SealedMetadata | SealedTransaction;

/** A right to fetch what was opened. */
export interface SealedOpened extends SessionKey {
  readonly kind: 'opened';
  readonly id: string;
}

/** A prepared statement of a session. */
export interface SealedPrepared extends SessionKey {
  readonly kind: 'prepared';
  readonly id: string;
}

/** A right to fetch the answer of a metadata command, which the handle carries itself. */
export interface SealedMetadata extends SessionKey {
  readonly kind: 'metadata';
  /** The command in base64. */
  readonly command: string;
}

/** The transaction of a session. */
export interface SealedTransaction extends SessionKey {
  readonly kind: 'transaction';
  readonly id: string;
}

type Expiring = Sealed & { readonly expiresMs: number };

export interface TicketsOptions {
  readonly workerId: string;
  /** New with every start of the process: no handle outlives the state it refers to. */
  readonly key: Buffer;
  readonly nowMs: () => number;
  readonly randomBytes: RandomBytes;
}

/** Seals and opens this worker's handles. */
export class Tickets {
  readonly #options: TicketsOptions;
  readonly #key: KeyObject;

  constructor(options: TicketsOptions) {
    this.#options = options;
    this.#key = createSecretKey(options.key);
  }

  seal(content: Sealed): Buffer {
    const { workerId, nowMs, randomBytes } = this.#options;
    // A prepared statement or a transaction ends when it is not used, which its session knows; its handle only must not live for ever.
    const ttlMs = LIVED_WITH.has(content.kind) ? HANDLE_TTL_FACTOR * PREPARED_TTL_MS : TICKET_TTL_MS;
    const expiring: Expiring = { ...content, expiresMs: nowMs() + ttlMs };
    return sealHandle(this.#key, workerId, Buffer.from(JSON.stringify(expiring)), randomBytes);
  }

  /** Opens a handle for its own principal. Everyone else's, expired ones and those of an earlier start are `not_found`. */
  open(handle: Buffer, principalId: string): Sealed {
    const content = this.#read(handle);
    if (content.principalId !== principalId) {
      throw new StatusError('not_found', 'the handle was given to another principal; run the statement yourself');
    }
    if (content.expiresMs <= this.#options.nowMs()) {
      throw new StatusError('not_found', 'the handle has expired; run the statement again');
    }
    return content;
  }

  openPrepared(handle: Buffer, principalId: string): SealedPrepared {
    const content = this.open(handle, principalId);
    if (content.kind !== 'prepared') {
      throw new StatusError('invalid_argument', 'this is a ticket, not the handle of a prepared statement');
    }
    return content;
  }

  openTransaction(handle: Buffer, principalId: string): SealedTransaction {
    const content = this.open(handle, principalId);
    if (content.kind !== 'transaction') {
      throw new StatusError('invalid_argument', 'this is a ticket or the handle of a statement, not a transaction');
    }
    return content;
  }

  #read(handle: Buffer): Expiring {
    try {
      return JSON.parse(openHandle(this.#key, this.#options.workerId, handle).toString('utf8')) as Expiring;
    } catch (cause) {
      if (cause instanceof StatusError && cause.code === 'not_found') {
        throw cause;
      }
      throw new StatusError(
        'not_found',
        'this worker does not know the handle: it was altered, or the worker was restarted since; run the statement again',
        {
          cause,
        },
      );
    }
  }
}

const LIVED_WITH: ReadonlySet<Sealed['kind']> = new Set(['prepared', 'transaction']);

// A day for the present half hour.
const HANDLE_TTL_FACTOR = 48;
