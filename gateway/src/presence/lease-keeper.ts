import { setTimeout as delay } from 'node:timers/promises';
import type { Lease } from '@jetbridge/proto/presence';
import { toStatusError } from '@jetbridge/proto/status-error';
import type { Logger } from 'pino';
import type { PresenceLimits } from '../limits.ts';
import type { ReadyTunnel, Tunnels } from '../tunnel/tunnels.ts';
import type { LeaseClaim, Presence } from './interface.ts';

export interface LeaseKeeperOptions {
  readonly gatewayId: string;
  readonly tunnels: Tunnels;
  readonly presence: Presence;
  readonly limits: PresenceLimits;
  readonly log: Logger;
}

/** `lease` is absent after it went to another gateway. */
interface Claim {
  readonly tunnelId: string;
  readonly lease: Lease | undefined;
}

/**
 * Keeps leases in step with tunnels: at once when a tunnel comes or goes, and again at every interval, which heals whatever was missed.
 * A worker has tunnels to several gateways and one lease: a gateway that lost it claims it again only once nobody holds it.
 * While the store does not answer, tunnels work on.
 */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  // By worker, so no more than there are tunnels.
  readonly #claims = new Map<string, Claim>();

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** Runs until the signal aborts, then releases what it holds. */
  async run(signal: AbortSignal): Promise<void> {
    const { tunnels, limits } = this.#options;
    let wake = new AbortController();
    tunnels.onChange(() => wake.abort(), signal);
    while (!signal.aborted) {
      wake = new AbortController();
      await this.reconcile();
      await delay(limits.renewIntervalMs, undefined, { signal: AbortSignal.any([signal, wake.signal]) }).catch(() => undefined);
    }
    await Promise.all([...this.#claims.keys()].map((workerId) => this.#drop(workerId)));
  }

  /** One round. Never rejects. */
  async reconcile(): Promise<void> {
    const wanted = new Map(this.#options.tunnels.ready().map((entry) => [entry.workerId, entry]));
    const gone = [...this.#claims.keys()].filter((workerId) => !wanted.has(workerId));
    await Promise.all([...gone.map((workerId) => this.#drop(workerId)), ...[...wanted.values()].map((entry) => this.#keep(entry))]);
  }

  async #keep(entry: ReadyTunnel): Promise<void> {
    const { workerId, tunnelId } = entry;
    try {
      this.#claims.set(workerId, { tunnelId, lease: await this.#leaseFor(entry, this.#claims.get(workerId)) });
    } catch (thrown) {
      this.#options.log.warn({ workerId, reason: toStatusError(thrown).message }, 'lease not renewed');
    }
  }

  async #leaseFor(entry: ReadyTunnel, claim: Claim | undefined): Promise<Lease | undefined> {
    const { presence, log } = this.#options;
    if (claim?.tunnelId !== entry.tunnelId) {
      return presence.acquire(this.#claimFor(entry));
    }
    if (claim.lease === undefined) {
      return (await presence.find(entry.workerId)) === undefined ? presence.acquire(this.#claimFor(entry)) : undefined;
    }
    if (await presence.renew(claim.lease)) {
      return claim.lease;
    }
    log.info({ workerId: entry.workerId, epoch: claim.lease.epoch }, 'lease went to a later claim');
    return undefined;
  }

  #claimFor({ workerId, tunnelId, pool, bootId }: ReadyTunnel): LeaseClaim {
    return { workerId, tunnelId, gatewayId: this.#options.gatewayId, pool, bootId };
  }

  async #drop(workerId: string): Promise<void> {
    const lease = this.#claims.get(workerId)?.lease;
    this.#claims.delete(workerId);
    try {
      if (lease !== undefined) {
        await this.#options.presence.release(lease);
      }
    } catch (thrown) {
      // It expires by itself.
      this.#options.log.warn({ workerId, reason: toStatusError(thrown).message }, 'lease not released');
    }
  }
}
