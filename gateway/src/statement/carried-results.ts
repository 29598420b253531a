import type { CarryLimits } from '../limits.ts';

/** Whose result it is: nobody else is ever given it. */
export interface ResultOwner {
  readonly principalId: string;
  readonly sessionId: string;
}

/** All messages of a DoGet, as the worker framed them. */
export interface CarriedResult {
  readonly bytes: Buffer;
  readonly rows: number;
}

/**
 * arriving → complete → ended, or at once to ended: served, expired, forgotten, or there was nothing to carry.
 * `waiter`: a DoGet that came before the result was complete.
 */
type PlaceState =
  | { readonly kind: 'arriving'; waiter: ((result: CarriedResult | undefined) => void) | undefined }
  | { readonly kind: 'complete'; readonly result: CarriedResult }
  | { readonly kind: 'ended' };

const ENDED: PlaceState = { kind: 'ended' };

/** Room for one result, from the moment a worker may be told to send it. Must be completed or given up. */
export interface CarriedPlace {
  readonly mostBytes: number;
  /** The handle in the FlightInfo's ticket is known: the result may be claimed with it from now on. */
  expect(handle: Buffer): void;
  complete(result: CarriedResult): void;
  /** Nothing (more) will come. Idempotent, and without effect after `complete`. */
  giveUp(): void;
}

class Place implements CarriedPlace {
  readonly owner: ResultOwner;
  readonly mostBytes: number;
  readonly #store: PlaceStore;
  /** Set while the result can be claimed. */
  name: string | undefined;
  expiresMs = 0;
  heldBytes: number;
  state: PlaceState = { kind: 'arriving', waiter: undefined };

  constructor(owner: ResultOwner, mostBytes: number, store: PlaceStore) {
    this.owner = owner;
    this.mostBytes = mostBytes;
    this.heldBytes = mostBytes;
    this.#store = store;
  }

  expect(handle: Buffer): void {
    if (this.state.kind === 'arriving') {
      this.#store.announce(this, handle);
    }
  }

  complete(result: CarriedResult): void {
    const { state } = this;
    if (state.kind !== 'arriving') {
      return;
    }
    if (state.waiter !== undefined || this.name === undefined || result.bytes.length > this.mostBytes) {
      this.end();
      state.waiter?.(result.bytes.length > this.mostBytes ? undefined : result);
      return;
    }
    this.state = { kind: 'complete', result };
    this.#store.resize(this, result.bytes.length);
  }

  giveUp(): void {
    const { state } = this;
    if (state.kind === 'arriving') {
      this.end();
      state.waiter?.(undefined);
    }
  }

  end(): void {
    this.state = ENDED;
    this.#store.remove(this);
  }
}

interface PlaceStore {
  announce(place: Place, handle: Buffer): void;
  resize(place: Place, bytes: number): void;
  remove(place: Place): void;
}

/**
 * Small results that came with their FlightInfo and wait for their DoGet: each is given out once, to the principal and session it was made
 * for, and to nobody after its time.
 */
export class CarriedResults {
  readonly #limits: CarryLimits;
  readonly #nowMs: () => number;
  // In the order in which they expire: all live equally long.
  readonly #claimable = new Map<string, Place>();
  readonly #principalBytes = new Map<string, number>();
  readonly #store: PlaceStore = {
    announce: (place, handle) => this.#announce(place, handle),
    resize: (place, bytes) => this.#resize(place, bytes),
    remove: (place) => this.#remove(place),
  };
  #bytes = 0;
  #sweeping: NodeJS.Timeout | undefined;

  constructor(limits: CarryLimits, nowMs: () => number) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** How many can be claimed, arriving ones included. */
  get size(): number {
    return this.#claimable.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Room for one more result; undefined when there is none, and then nothing may be carried. */
  reserve(owner: ResultOwner): CarriedPlace | undefined {
    const { resultBytes, totalBytes, principalBytes } = this.#limits;
    this.sweep();
    const ofPrincipal = this.#principalBytes.get(owner.principalId) ?? 0;
    if (this.#bytes + resultBytes > totalBytes || ofPrincipal + resultBytes > principalBytes) {
      return undefined;
    }
    this.#account(owner.principalId, resultBytes);
    return new Place(owner, resultBytes, this.#store);
  }

  /** Takes the result of a ticket, if it is this owner's. A promise tells later whether it has come; undefined sends the DoGet to the worker. */
  claim(handle: Buffer, owner: ResultOwner): CarriedResult | Promise<CarriedResult | undefined> | undefined {
    const place = this.#claimable.get(nameOf(handle));
    if (place === undefined || !sameOwner(place.owner, owner)) {
      return undefined;
    }
    this.#claimable.delete(place.name as string);
    const { state } = place;
    if (state.kind === 'arriving') {
      return new Promise((resolve) => {
        state.waiter = resolve;
      });
    }
    place.end();
    return state.kind === 'complete' && place.expiresMs > this.#nowMs() ? state.result : undefined;
  }

  /** The statement of this ticket was cancelled by its principal. */
  forget(handle: Buffer, principalId: string): void {
    const place = this.#claimable.get(nameOf(handle));
    if (place?.owner.principalId === principalId) {
      place.end();
    }
  }

  /** The session was closed. */
  forgetSession(owner: ResultOwner): void {
    for (const place of this.#claimable.values()) {
      if (sameOwner(place.owner, owner)) {
        place.end();
      }
    }
  }

  /** Drops what nobody has claimed in time. */
  sweep(): void {
    const nowMs = this.#nowMs();
    for (const place of this.#claimable.values()) {
      if (place.expiresMs > nowMs) {
        return;
      }
      place.end();
    }
  }

  #announce(place: Place, handle: Buffer): void {
    const name = nameOf(handle);
    // A handle is sealed with a fresh nonce. One that comes twice is not what it seems to be.
    if (this.#claimable.has(name)) {
      place.giveUp();
      return;
    }
    place.name = name;
    place.expiresMs = this.#nowMs() + this.#limits.ttlMs;
    this.#claimable.set(name, place);
    this.#sweepLater();
  }

  #resize(place: Place, bytes: number): void {
    this.#account(place.owner.principalId, bytes - place.heldBytes);
    place.heldBytes = bytes;
  }

  #remove(place: Place): void {
    this.#resize(place, 0);
    if (place.name !== undefined && this.#claimable.get(place.name) === place) {
      this.#claimable.delete(place.name);
    }
  }

  #account(principalId: string, bytes: number): void {
    this.#bytes += bytes;
    const left = (this.#principalBytes.get(principalId) ?? 0) + bytes;
    if (left === 0) {
      this.#principalBytes.delete(principalId);
    } else {
      this.#principalBytes.set(principalId, left);
    }
  }

  // One timer for all: rows do not stay in memory because no further call comes.
  #sweepLater(): void {
    this.#sweeping ??= setTimeout(() => {
      this.#sweeping = undefined;
      this.sweep();
      if (this.#claimable.size > 0) {
        this.#sweepLater();
      }
    }, this.#limits.ttlMs).unref();
  }
}

function nameOf(handle: Buffer): string {
  return handle.toString('latin1');
}

function sameOwner(a: ResultOwner, b: ResultOwner): boolean {
  return a.principalId === b.principalId && a.sessionId === b.sessionId;
}
