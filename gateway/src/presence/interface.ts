import type { Lease } from '@jetbridge/proto/presence';

/** What a gateway claims: everything of a lease but the epoch, which the store gives. */
export type LeaseClaim = Omit<Lease, 'epoch'>;

/**
 * Which gateway holds which worker. One lease per worker; the latest claim wins. The truth is the tunnel: a lease only says where to look
 * for one, and is gone when it is not renewed.
 */
export interface Presence {
  /** Takes the lease with an epoch above all earlier ones of this worker, whoever holds it now. */
  acquire(claim: LeaseClaim): Promise<Lease>;
  /** True while this lease is the worker's latest; it lives for another TTL then, even if it had expired. */
  renew(lease: Lease): Promise<boolean>;
  /** Ends this lease, and never a later one. True if it was there. */
  release(lease: Lease): Promise<boolean>;
  find(workerId: string): Promise<Lease | undefined>;
  close(): Promise<void>;
}
