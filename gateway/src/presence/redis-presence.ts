import { once } from 'node:events';
import type { Lease } from '@jetbridge/proto/presence';
import { StatusError } from '@jetbridge/proto/status-error';
import { Redis } from 'ioredis';
import type { PresenceLimits } from '../limits.ts';
import type { LeaseClaim, Presence } from './interface.ts';

// Both keys of a worker carry its id as hash tag, so that a Redis Cluster keeps them in one slot and one script may touch both.
const leaseKey = (workerId: string): string => `jetbridge:{${workerId}}:lease`;
const epochKey = (workerId: string): string => `jetbridge:{${workerId}}:epoch`;

// KEYS: lease, epoch. The counter outlives the leases, so an epoch is never given twice.
const ACQUIRE = `
local epoch = redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('HSET', KEYS[1], 'epoch', epoch, 'claim', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return epoch`;

const RENEW = `
if redis.call('GET', KEYS[2]) ~= ARGV[4] then return 0 end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('HSET', KEYS[1], 'epoch', ARGV[4], 'claim', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`;

// KEYS: lease.
const RELEASE = `
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

const CONNECTING: ReadonlySet<string> = new Set(['connecting', 'connect']);

/** Presence shared by gateways. Redis evaluates each script as one step, and its clock alone decides what has expired. */
export class RedisPresence implements Presence {
  readonly #redis: Redis;
  readonly #limits: PresenceLimits;

  constructor(url: string, limits: PresenceLimits, failed: (error: Error) => void) {
    this.#limits = limits;
    this.#redis = new Redis(url, {
      protocol: 3,
      commandTimeout: limits.commandTimeoutMs,
      connectTimeout: limits.commandTimeoutMs,
      // A claim that waits for Redis to come back may be false by then: fail, and let the next round claim anew.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      retryStrategy: (attempt) => Math.min(attempt * 100, limits.renewIntervalMs),
    });
    this.#redis.on('error', failed);
  }

  acquire(claim: LeaseClaim): Promise<Lease> {
    const { leaseTtlMs, epochTtlMs } = this.#limits;
    return this.#asking(async () => {
      const keys = [leaseKey(claim.workerId), epochKey(claim.workerId)];
      const epoch = await this.#redis.eval(ACQUIRE, 2, ...keys, claimText(claim), leaseTtlMs, epochTtlMs);
      return { ...claim, epoch: Number(epoch) };
    });
  }

  renew(lease: Lease): Promise<boolean> {
    const { leaseTtlMs, epochTtlMs } = this.#limits;
    return this.#asking(async () => {
      const keys = [leaseKey(lease.workerId), epochKey(lease.workerId)];
      return (await this.#redis.eval(RENEW, 2, ...keys, claimText(lease), leaseTtlMs, epochTtlMs, lease.epoch)) === 1;
    });
  }

  release(lease: Lease): Promise<boolean> {
    return this.#asking(async () => (await this.#redis.eval(RELEASE, 1, leaseKey(lease.workerId), lease.epoch)) === 1);
  }

  find(workerId: string): Promise<Lease | undefined> {
    return this.#asking(async () => {
      const [epoch, claim] = await this.#redis.hmget(leaseKey(workerId), 'epoch', 'claim');
      return typeof epoch === 'string' && typeof claim === 'string'
        ? { ...(JSON.parse(claim) as LeaseClaim), epoch: Number(epoch) }
        : undefined;
    });
  }

  async close(): Promise<void> {
    this.#redis.disconnect();
  }

  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    try {
      if (CONNECTING.has(this.#redis.status)) {
        await once(this.#redis, 'ready', { signal: AbortSignal.timeout(this.#limits.commandTimeoutMs) });
      }
      return await ask();
    } catch (cause) {
      throw new StatusError('unavailable', 'Redis did not answer', { cause });
    }
  }
}

function claimText({ workerId, tunnelId, gatewayId, pool, bootId }: LeaseClaim): string {
  return JSON.stringify({ workerId, tunnelId, gatewayId, pool, bootId } satisfies LeaseClaim);
}
