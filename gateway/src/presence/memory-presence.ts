import type { Lease } from '@jetbridge/proto/presence';
import type { PresenceLimits } from '../limits.ts';
import type { LeaseClaim, Presence } from './interface.ts';

interface Held {
  readonly lease: Lease;
  readonly until: number;
}

/** Presence within one process: for a gateway that stands alone. Holds one entry per worker it has ever seen, as the control-api does. */
export class MemoryPresence implements Presence {
  readonly #limits: PresenceLimits;
  readonly #now: () => number;
  readonly #epochs = new Map<string, number>();
  readonly #held = new Map<string, Held>();

  constructor(limits: PresenceLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  async acquire(claim: LeaseClaim): Promise<Lease> {
    const epoch = (this.#epochs.get(claim.workerId) ?? 0) + 1;
    this.#epochs.set(claim.workerId, epoch);
    const lease: Lease = { ...claim, epoch };
    this.#hold(lease);
    return lease;
  }

  async renew(lease: Lease): Promise<boolean> {
    if (this.#epochs.get(lease.workerId) !== lease.epoch) {
      return false;
    }
    this.#hold(lease);
    return true;
  }

  async release(lease: Lease): Promise<boolean> {
    const current = await this.find(lease.workerId);
    return current?.epoch === lease.epoch && this.#held.delete(lease.workerId);
  }

  async find(workerId: string): Promise<Lease | undefined> {
    const held = this.#held.get(workerId);
    if (held !== undefined && held.until <= this.#now()) {
      this.#held.delete(workerId);
      return undefined;
    }
    return held?.lease;
  }

  async close(): Promise<void> {
    this.#held.clear();
  }

  #hold(lease: Lease): void {
    this.#held.set(lease.workerId, { lease, until: this.#now() + this.#limits.leaseTtlMs });
  }
}
